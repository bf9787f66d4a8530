import { fcntlCommands, memfdFlags, seals } from './abi/constants.js';
import { errnoName, errnos } from './abi/errno.js';
import { syscallNumber } from './abi/numbers.js';
import { SyscallError } from './error.js';
import { syscall, type NativeMemory } from './ffi.js';

const MEMFD_CREATE = syscallNumber('memfd_create');
const WRITE = syscallNumber('write');
const FCNTL = syscallNumber('fcntl');
const CLOSE = syscallNumber('close');

/** MFD_EXEC is of Linux 6.3; before, every memfd could be executed. */
let execFlag: number = memfdFlags.MFD_EXEC;

/** Puts the first `byteLength` bytes of `memory` into a memfd that nothing can change any more, and that can be executed. The caller closes it. */
export function sealedMemfd(memory: NativeMemory, byteLength: number, nameAddress: number): number {
  let fd = syscall(MEMFD_CREATE, nameAddress, memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING | execFlag);
  if (fd === -errnos.EINVAL && execFlag !== 0) {
    execFlag = 0;
    fd = syscall(MEMFD_CREATE, nameAddress, memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING);
  }
  if (fd < 0) throw memfdError('memfd_create', 'memfd_create("ctr", MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC)', -fd);
  for (let written = 0; written < byteLength;) {
    const result = syscall(WRITE, fd, memory.address + written, byteLength - written);
    if (result < 0) {
      syscall(CLOSE, fd);
      throw memfdError('write', `write(${fd}, the plan, ${byteLength})`, -result);
    }
    written += result;
  }
  const sealed = syscall(FCNTL, fd, fcntlCommands.F_ADD_SEALS, seals.F_SEAL_SEAL | seals.F_SEAL_SHRINK | seals.F_SEAL_GROW | seals.F_SEAL_WRITE);
  if (sealed < 0) {
    syscall(CLOSE, fd);
    throw memfdError('fcntl', `fcntl(${fd}, F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE)`, -sealed);
  }
  return fd;
}

function memfdError(call: string, line: string, errno: number): SyscallError {
  const hint = errnoName(errno) === 'EACCES' ? 'the sysctl vm.memfd_noexec=2 forbids executable memory files: set it to 0 or 1' : undefined;
  return new SyscallError({ call, line, errno, purpose: 'an executable of the plan', ...(hint !== undefined && { hint }) });
}
