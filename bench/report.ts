/** One figure: what was measured, and what it should be. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  /** `undefined` for a figure that is told without a goal. */
  readonly reached: boolean | undefined;
}

/** The content of results.md. */
export function markdown(date: Date, machine: readonly string[], rounds: number, rows: readonly Row[]): string {
  return `# Measured

\`npm run bench\` wrote this on ${date.toISOString().slice(0, 10)}: medians of ${rounds} rounds, in which all contenders took turns.

${machine.map((line) => `- ${line}`).join('\n')}

| what | measured | to reach | |
| --- | --- | --- | --- |
${rows.map(({ what, measured, goal, reached }) => `| ${what} | ${measured} | ${goal} | ${reached === undefined ? '' : reached ? '✔' : 'not reached'} |`).join('\n')}

- *The seed's set*: new UTS, PID and mount namespaces, a hostname, private propagation, a busybox root file system bound and made the root, /proc, a tmpfs, \`true\`, its end.
- *A default container*: all namespaces but user and time, /dev, /sys, the host's userland by an overlay, a cgroup with a limit, few capabilities, a filter of system calls, what tells of the host hidden; both outputs collected, the cgroup removed.
- *The same calls in C*: a program that is generated from the plan itself (to-c.ts) makes each of its calls, in the same order, and waits.
- *Heap*: live Buffers, every page of which was written to.
- *As a whole process*: from posix_spawn to the end, timed by a C program (time.c); \`ctr-oci\` and runc from the call of \`spawn\` in Node to the event \`exit\`, and so is what they are compared with.
`;
}
