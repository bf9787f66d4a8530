import { atFlags, fileTypes, label, Memory, type ResultOf, type Step } from '@ctr/syscall';

/** struct statx of linux/stat.h: the upper byte of stx_mode, of which the upper half is the type. */
const STATX_TYPE = 1;
const STATX_BYTES = 256;
const MODE_UPPER = 0x1d;
const NEXT_TYPE = 0x10;

/** Steps that go to a label unless an open file is a device; the steps for a device stand between. @see statx(2) */
export function unlessDevice(file: ResultOf, shown: string): { readonly steps: readonly Step[]; readonly isNone: Step } {
  const stat = new Memory(STATX_BYTES, 'stat');
  const type = stat.u8(MODE_UPPER);
  const [isDevice, isNone] = [label(`${shown} is a device`), label(`${shown} is settled`)];
  const purpose = `is ${shown} a device?`;
  const isOf = (format: number): Step[] => {
    const other = label('it is of another type');
    const [from, to] = [format >> 8, (format >> 8) + NEXT_TYPE];
    return [
      { call: 'add', args: [type, 0], purpose, jump: { when: '<', than: from, to: other } },
      { call: 'add', args: [type, 0], purpose, jump: { when: '<', than: to, to: isDevice } },
      other,
    ];
  };
  return {
    steps: [
      { call: 'statx', args: [file, '', atFlags.AT_EMPTY_PATH, STATX_TYPE, stat], purpose },
      ...isOf(fileTypes.S_IFCHR),
      ...isOf(fileTypes.S_IFBLK),
      { call: 'add', args: [0, 0], purpose: 'it is none', jump: { when: '==', to: isNone } },
      isDevice,
    ],
    isNone,
  };
}
