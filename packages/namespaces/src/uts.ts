import { quote, type Step } from '@ctr/syscall';

/** __NEW_UTS_LEN of linux/utsname.h */
const MAX_BYTES = 64;
const hints = { EPERM: 'the UTS namespace belongs to a user namespace in which the process has no CAP_SYS_ADMIN: create one with it first' } as const;

/**
 * A step that sets the host name of the process's UTS namespace: without one of its own, the machine's.
 *
 * Fails with EPERM without CAP_SYS_ADMIN in the user namespace that the UTS namespace belongs to.
 * Throws a `RangeError` for a name that is not 1 to 64 bytes long, or that has a control character in it.
 *
 * @see sethostname(2), uts_namespaces(7)
 * @example
 * ```ts
 * import { create, hostname } from '@ctr/namespaces';
 * const steps = [...create('uts'), ...hostname('box')];
 * ```
 */
export function hostname(name: string): Step[] {
  return [{ call: 'sethostname', args: [name, checkedBytes('host name', name)], purpose: 'the host name', hints }];
}

/**
 * A step that sets the NIS domain name of the process's UTS namespace (not the DNS domain): without one of its own, the machine's.
 *
 * Fails with EPERM without CAP_SYS_ADMIN in the user namespace that the UTS namespace belongs to.
 * Throws a `RangeError` for a name that is not 1 to 64 bytes long, or that has a control character in it.
 *
 * @see setdomainname(2), uts_namespaces(7)
 * @example
 * ```ts
 * import { create, domainname } from '@ctr/namespaces';
 * const steps = [...create('uts'), ...domainname('example.org')];
 * ```
 */
export function domainname(name: string): Step[] {
  return [{ call: 'setdomainname', args: [name, checkedBytes('domain name', name)], purpose: 'the NIS domain name', hints }];
}

function checkedBytes(what: string, name: string): number {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > MAX_BYTES) throw new RangeError(`the ${what} ${quote(name)} has ${bytes} bytes: the kernel takes 1 to ${MAX_BYTES}`);
  if (/\p{Cc}/u.test(name)) throw new RangeError(`the ${what} ${quote(name)} has a control character in it`);
  return bytes;
}
