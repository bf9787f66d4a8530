import { checkOptions } from '@ctr/syscall';

/** What options of child_process, execa, dockerode and others are here. */
const others: Readonly<Record<string, string>> = {
  signal: 'a signal that cancels is `cancelSignal`',
  abortSignal: 'it is `cancelSignal`',
  timeout: 'it is `timeoutMs`',
  maxBuffer: 'it is `maxBufferBytes`',
  buffer: 'to keep nothing, `maxBufferBytes` is 0',
  lines: '`for await` over the promise gives lines',
  stdin: 'the three streams are `stdio`; what the program reads is `input`',
  stdout: 'the three streams are `stdio`',
  stderr: 'the three streams are `stdio`',
  shell: "a shell is a program as any other: ['sh', '-c', text]",
  uid: 'it is `user`: { uid, gid }, or a name',
  gid: 'it is `user`: { uid, gid }, or a name',
  detached: 'a container ends with the process that has started it; `ctr-oci create` makes one that stays',
  extendEnv: 'nothing of the environment of this process is passed on: `env` may be { ...process.env }',
  killSignal: 'what ends the container is SIGKILL; `kill` of a `Container` sends another signal',
  forceKillAfterDelay: 'what ends the container is SIGKILL at once',
  workdir: 'it is `cwd`',
  workingDir: 'it is `cwd`',
  network: "it is `namespaces`: { net: 'host' }; by default there is a loopback alone",
  networkMode: "it is `namespaces`: { net: 'host' }; by default there is a loopback alone",
  ports: "ctr makes no networks: `namespaces`: { net: 'host' } has the ports of the host",
  image: 'there are no images: `rootfs` is a directory',
  volumes: 'it is `mounts`: [{ bind, to }]',
  binds: 'it is `mounts`: [{ bind, to }]',
  tmpfs: 'it is `mounts`: [{ tmpfs }]',
  memory: 'it is `limits`: { memoryBytes }',
  cpus: 'it is `limits`: { cpuCores }',
  pidsLimit: 'it is `limits`: { pids }',
  capAdd: 'it is `capabilities`: { add }',
  capDrop: 'it is `capabilities`: { drop }',
  privileged: '`privileged` of this package is a set of options: { ...privileged }',
  tty: '`start` has `terminal`: { columns, rows }',
};

/** Refuses options that do not exist, and says what they are here where they are those of others. Throws a `TypeError`. */
export function checkNames(where: string, given: object, known: readonly string[]): void {
  if (typeof given === 'object' && (given as unknown) !== null) {
    for (const key of Object.keys(given)) {
      const hint = known.includes(key) || !Object.hasOwn(others, key) ? undefined : others[key];
      if (hint !== undefined) throw new TypeError(`${where}: there is no option "${key}": ${hint}`);
    }
  }
  checkOptions(where, given, known);
}
