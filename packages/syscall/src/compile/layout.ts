// Where things stand in a compiled executable. The listings have these addresses in them.
// The file is one piece; the kernel maps it twice, once as code (not writable) and once as data (not executable).

/** Largest page size of the architectures: two segments must not share a page. */
export const PAGE_BYTES = 0x10000;
/** Address of the first byte of the file, which holds the ELF header and the walker. */
export const TEXT = 0x400000;
/** Offset of the walker in the file, and of the data behind it. */
export const WALKER_OFFSET = 0x100;
export const DATA_OFFSET = 0x300;
/** Where the walker notes a failure: the address of the record and the errno, 32 bits each. */
export const FAILURE = TEXT + PAGE_BYTES + DATA_OFFSET;
export const NOTE_BYTES = 16;
/** The first record; the data of the plan follows the last one. */
export const RECORDS = FAILURE + NOTE_BYTES;
export const RECORD_BYTES = 48;
/** In a packed executable, offset of the unpacker: the records, which would stand there, are packed behind it. */
export const UNPACKER_OFFSET = DATA_OFFSET + NOTE_BYTES;
/** Address of the size of the code, which is that of the file if it is packed: p_filesz of the first program header. */
export const CODE_BYTES = TEXT + 64 + 32;
/** What a packed executable ends with: a file that was cut has a zero there, or no memory. */
export const LAST_BYTE = 0xff;
