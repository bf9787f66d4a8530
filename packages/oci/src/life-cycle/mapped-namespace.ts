import { create, writeIdMaps, type IdMaps } from '@ctr/namespaces';
import { launch, openFd, openFlags, waitForHost, type Fd } from '@ctr/syscall';

/**
 * A user namespace with these maps, as an open file: by which mounts show their owners. No process stays in it.
 * Rejects as `writeIdMaps` of @ctr/namespaces does.
 */
export async function mappedNamespace(maps: IdMaps): Promise<Fd> {
  let namespace: Fd | undefined;
  const child = await launch([...create('user'), ...waitForHost('map the ids'), { call: 'exit_group', args: [0], purpose: 'the namespace is open' }], {
    onWaiting: async (pid) => {
      await writeIdMaps(pid, maps);
      namespace = openFd(`/proc/${pid}/ns/user`, { flags: openFlags.O_RDONLY });
    },
  });
  await child.exited;
  if (!namespace) throw new Error('the user namespace of a mount could not be made');
  return namespace;
}
