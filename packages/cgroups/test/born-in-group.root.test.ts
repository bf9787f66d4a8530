import { existsSync } from 'node:fs';
import { continueInChild, explain, launch, Memory, prctlOptions, struct, syscallNumber, type Step } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { groupName, planGroup, removeGroup, type CgroupLayout } from '@ctr/cgroups';

import { checkLeftovers, launched, layout, parent, removeParent, script } from './launched.js';

const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };
const isThere = unified.hierarchies.length > 0;
const sockFprog = struct('sock_fprog', { len: { type: 'u16' }, filter: { type: 'pointer' } });

afterEach(checkLeftovers);
afterAll(removeParent);

/** linux/seccomp.h, linux/filter.h: the number of the call is compared, and one of them is answered with ENOSYS. */
function refuseClone3(): Step[] {
  const words = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, syscallNumber('clone3')],
    [0x06, 0, 0, 0x50000 | 38],
    [0x06, 0, 0, 0x7fff0000],
  ];
  const code = Buffer.alloc(words.length * 8);
  for (const [i, [op = 0, yes = 0, no = 0, value = 0]] of words.entries()) {
    code.writeUInt16LE(op, i * 8);
    code.writeUInt8(yes, i * 8 + 2);
    code.writeUInt8(no, i * 8 + 3);
    code.writeUInt32LE(value, i * 8 + 4);
  }
  return [
    { call: 'prctl', args: [prctlOptions.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], purpose: 'what a filter needs' },
    { call: 'seccomp', args: [1, 0, sockFprog({ len: words.length, filter: new Memory(code, 'filter').at(0) })], purpose: 'no clone3 here' },
  ];
}

describe.skipIf(!isThere)('a process that is born in its group (needs cgroup v2, mounted)', () => {
  for (const memory of ['shared', 'copied'] as const) {
    it(`is there from its first moment, with its memory ${memory}`, async () => {
      const group = planGroup(groupName('born'), {}, { layout: unified, parent, measure: ['cpu'] });
      if (!group.cgroup) throw new Error('one directory of version 2 is the whole group');
      const { exit, output } = await launched([
        ...group.create,
        ...continueInChild({ cgroup: group.cgroup, memory }),
        ...group.close,
        ...script('cat /proc/self/cgroup; ls -l /proc/self/fd'),
      ]);
      expect(exit).toMatchObject({ code: 0 });
      expect(output).toContain(`0::${group.directories[0]?.slice(unified.hierarchies[0]?.mount.length)}`);
      expect(output).not.toContain(group.directories[0]);
      await removeGroup(group.directories);
    });

    it(`joins it where clone3 is refused, with its memory ${memory}`, async () => {
      const group = planGroup(groupName('born'), {}, { layout: unified, parent, measure: ['cpu'] });
      if (!group.cgroup) throw new Error('one directory of version 2 is the whole group');
      const { exit, output } = await launched([
        ...group.create,
        ...refuseClone3(),
        ...continueInChild({ cgroup: group.cgroup, memory }),
        ...group.close,
        ...script('cat /proc/self/cgroup'),
      ]);
      expect(exit).toMatchObject({ code: 0 });
      expect(output).toContain(`0::${group.directories[0]?.slice(unified.hierarchies[0]?.mount.length)}`);
      await removeGroup(group.directories);
    });
  }

  it('leaves what the next part of the plan has in its memory as it is', async () => {
    const group = planGroup(groupName('born'), {}, { layout: unified, parent, measure: ['cpu'] });
    if (!group.cgroup) throw new Error('one directory of version 2 is the whole group');
    const child = await launch([[...group.create, ...continueInChild({ cgroup: group.cgroup }), ...group.close], script('exit 7')], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    expect(await child.exited).toMatchObject({ code: 7 });
    await removeGroup(group.directories);
  });

  it('says why the kernel does not let a process in', async () => {
    const outer = planGroup(groupName('outer'), {}, { layout: unified, parent, measure: ['cpu'] });
    if (!outer.cgroup) throw new Error('one directory of version 2 is the whole group');
    const gone: Step = { call: 'unlinkat', args: [-100, outer.directories[0] ?? '', 0x200], purpose: 'someone else removes it' };
    await expect(launched([...outer.create, gone, ...continueInChild({ cgroup: outer.cgroup }), ...script('true')])).rejects.toMatchObject({
      name: 'SyscallError',
      call: 'clone3',
      code: 'ENOENT',
    });
    expect(existsSync(outer.directories[0] ?? '')).toBe(false);
  });

  it('reads as what it is', () => {
    const group = planGroup('web', {}, { layout: unified, parent: '/a', measure: ['cpu'] });
    if (!group.cgroup) throw new Error('one directory of version 2 is the whole group');
    expect(explain([...group.create.slice(-1), ...continueInChild({ cgroup: group.cgroup })]).replaceAll(unified.hierarchies[0]?.mount ?? '', '/mount'))
      .toMatchInlineSnapshot(`
        " 1  openat(AT_FDCWD, "/mount/a/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
         2  add($group, 0)  # the group to be born in
         3  clone3({flags=CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|CLONE_INTO_CGROUP, parent_tid=&report+4, stack=&stack, stack_size=64}, 88) (ENOSYS, EPERM is fine), if == 0 go to 14  # go on in a new process, in its cgroup
         4  add($3, 0) (ENOSYS, EPERM is fine), if < 0 go to 7  # was it made?
         5  write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
         6  exit_group(0)  # the first process has done its part
         7  label()  # clone3 is refused here: join the group, and clone
         8  openat($group, "cgroup.procs", O_WRONLY|O_CLOEXEC) = $cgroup_procs  # the processes of the group
         9  write($cgroup_procs, "0", 1)  # join the group
        10  close($cgroup_procs)  # written
        11  clone(CLONE_VM|CLONE_PARENT|CLONE_PARENT_SETTID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to 14  # go on in a new process
        12  write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
        13  exit_group(0)  # the first process has done its part
        14  label()  # the new process"
      `);
  });
});
