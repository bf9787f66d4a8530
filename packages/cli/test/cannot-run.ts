import { spawnSync } from 'node:child_process';

/** Whether whoever runs the tests can have no container: an ordinary user where user namespaces are refused. */
export const cannotRun = process.getuid?.() !== 0 && spawnSync('unshare', ['--user', '--map-root-user', 'true']).status !== 0;
