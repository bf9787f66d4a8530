/**
 * Why this process is not to go on, if so: it has rights that its caller does not have, by a set-user-id or set-group-id bit. The caller's environment, files and options
 * decide what ctr does, so that it would do anything for anybody.
 *
 * @see credentials(7), getauxval(3): AT_SECURE
 */
export function raisedRights(): string | undefined {
  const [uid, euid, gid, egid] = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  if (uid === euid && gid === egid) return undefined;
  return `set-user-id or set-group-id: it runs with the rights of user ${euid} and group ${egid}, for user ${uid} and group ${gid}: remove the bit, and use sudo or no root at all`;
}
