import { label, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { writeAndClose, writeFile } from './directory.js';
import { limitHints, openHints } from './hints.js';
import type { Setting } from './setting.js';

/** Writes a limit of the group whose directory is open. */
export function writeSetting(directory: ResultOf, setting: Setting): Step[] {
  return setting.twin ? writeTwins(directory, setting, setting.twin) : writeFile(directory, setting, purposeOf(setting));
}

/** Writes what is there of two files, and fails if neither is. A disk whose scheduler heeds only the other of them refuses one. */
function writeTwins(directory: ResultOf, setting: Setting, twin: { readonly file: string; readonly value: string }): Step[] {
  const done = label('the limit is set');
  const alone = openFile(directory, twin.file, setting.absent);
  const hints = { ...limitHints, ...setting.hints };
  const first: Step = { ...openFile(directory, setting.file, setting.absent), tolerates: ['ENOENT'], jump: { when: '<', to: alone } };
  const [writeFirst, closeFirst] = writeAndClose(resultOf(first), setting.value, purposeOf(setting), hints);
  const refused: Step = { ...closeFirst, purpose: 'refused' };
  const second: Step = { ...openFile(directory, twin.file, setting.absent), tolerates: ['ENOENT'], jump: { when: '<', to: done } };
  const [writeSecond, closeSecond] = writeAndClose(resultOf(second), twin.value, purposeOf(twin), hints);
  return [
    first,
    { ...writeFirst, tolerates: ['EOPNOTSUPP'], jump: { when: '<', to: refused } },
    closeFirst,
    second,
    { ...writeSecond, tolerates: ['EOPNOTSUPP'] },
    { ...closeSecond, jump: { when: '==', to: done } },
    refused,
    alone,
    ...writeAndClose(resultOf(alone), twin.value, purposeOf(twin), hints),
    done,
  ];
}

function openFile(directory: ResultOf, file: string, absent: string | undefined): Step {
  return {
    call: 'openat',
    args: [directory, file, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0],
    purpose: `open ${file}`,
    as: file.replaceAll('.', '_'),
    hints: absent === undefined ? openHints : { ...openHints, ENOENT: absent },
  };
}

function purposeOf({ file, value }: { readonly file: string; readonly value: string }): string {
  return `the limit: ${file} = ${value}`;
}
