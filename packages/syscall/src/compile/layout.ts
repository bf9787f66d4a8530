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
/** The first record; the data of the plan follows the last one. */
export const RECORDS = FAILURE + 16;
export const RECORD_BYTES = 48;
