import type { Hook, Hooks } from '@ctr/oci';

import { withMounts, type Bundle, type Changes, type Host } from '../bundle.js';

/** Says in a file what a hook is given: one line for each thing. */
const script = (kind: string, file: string): string =>
  [
    `echo "args-${kind} $*"`,
    `echo "state-${kind} $(sed 's/"pid":[1-9][0-9]*/"pid":SOME/')"`,
    `echo "env-${kind} $(tr '\\0' ' ' < /proc/self/environ)"`,
    `echo "cwd-${kind} $(readlink /proc/self/cwd)"`,
    `echo "root-${kind} $(ls -d /bin/view 2>/dev/null || echo host)"`,
    `echo "uts-${kind} $(cat /proc/sys/kernel/hostname)"`,
  ].join(`>>${file};`) + `>>${file}`;
const say = (kind: string, file: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script(kind, file), 'name', 'one'],
  ...more,
});
const outside = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;

const failing = (kind: keyof Hooks, hook: Hook = { path: '/bin/false' }): Bundle => ({
  name: `hooks ${kind} that fails`,
  // It is over because of the hook, and not before.
  changes: ({ bundle }) => ({
    ...(kind === 'poststart' && { process: { args: ['sleep', '1000'] } }),
    hooks: { [kind]: [hook], poststop: [{ path: '/bin/sh', args: ['sh', '-c', `echo "poststop ran" >>${bundle}/hooks`] }] },
  }),
});

export const hookBundles: readonly Bundle[] = [
  ...outside.map((kind): Bundle => ({ name: `hooks ${kind}`, changes: ({ bundle }) => ({ hooks: { [kind]: [say(kind, `${bundle}/hooks`)] } }) })),
  {
    name: 'hooks startContainer',
    changes: ({ bundle }: Host): Changes => ({
      ...withMounts({ destination: '/mnt', source: bundle, options: ['bind'] }),
      hooks: { startContainer: [say('startContainer', '/mnt/hooks')] },
    }),
  },
  {
    name: 'hooks in their order',
    changes: ({ bundle }) => ({
      annotations: { 'org.example.key': 'value' },
      hooks: Object.fromEntries(
        outside.map((kind) => [
          kind,
          [1, 2].map((number): Hook => ({
            path: '/bin/sh',
            args: ['sh', '-c', `echo "$(cat ${bundle}/hooks 2>/dev/null | wc -l) ${kind} ${number}" >>${bundle}/hooks`],
          })),
        ]),
      ),
    }),
  },
  {
    name: 'hooks with an environment',
    changes: ({ bundle }) => ({ hooks: { createRuntime: [say('createRuntime', `${bundle}/hooks`, { env: ['A=1', 'PATH=/bin'] })] } }),
  },
  {
    name: 'hooks with an empty environment',
    changes: ({ bundle }) => ({ hooks: { createRuntime: [say('createRuntime', `${bundle}/hooks`, { path: '/bin/sh', env: [] })] } }),
  },
  failing('prestart'),
  failing('createRuntime'),
  failing('createContainer'),
  failing('startContainer'),
  failing('poststart'),
  { name: 'hooks poststop that fails', changes: { hooks: { poststop: [{ path: '/bin/false' }] } } },
  { name: 'hooks that are not there', changes: { hooks: { createRuntime: [{ path: '/no/such/hook' }] } } },
  { name: 'hooks that take too long', changes: { hooks: { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '30'], timeout: 1 }] } } },
];
