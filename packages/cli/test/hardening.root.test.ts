import { describe, expect, it } from 'vitest';

import { ctr } from './ctr.js';

const rights = 'grep -E "^(Cap(Inh|Eff|Bnd)|NoNewPrivs|Seccomp):" /proc/self/status | tr "\\t" " "';

describe('the rights of a program', () => {
  it('are few, unless more are given', async () => {
    const none = '0000000000000000';
    expect(await ctr(['run', 'sh', '-c', rights])).toMatchObject({
      code: 0,
      stdout: `CapInh: ${none}\nCapEff: 00000000800405fb\nCapBnd: 00000000800405fb\nNoNewPrivs: 1\nSeccomp: 2\n`,
    });
    expect((await ctr(['run', '--cap-drop', 'ALL', '--cap-add', 'chown', 'sh', '-c', rights])).stdout).toContain('CapEff: 0000000000000001\n');
    const some = ['run', '--privileged', '--cap-drop', 'sys_admin', '--show-posture', '--json', 'true'];
    expect((JSON.parse((await ctr(some)).stdout) as Record<string, string>)['capabilities']).not.toContain('SYS_ADMIN');
    expect(await ctr(['run', '--privileged', '--mountns', 'host', 'true'])).toMatchObject({ code: 0 });
    expect((await ctr(['run', '--privileged', 'sh', '-c', rights])).stdout).toMatch(/NoNewPrivs: 0\nSeccomp: 0\n$/);
    expect((await ctr(['run', '-u', '1000', '--security-opt', 'seccomp=unconfined', 'sh', '-c', rights])).stdout).toContain(`CapEff: ${none}\n`);
  });

  it('are told by the plan, before anything runs', async () => {
    const { stdout, code } = await ctr(['run', '--show-posture', '--cap-drop', 'ALL', '--net', 'host', '--ulimit', 'nofile=64', 'true']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^capabilities +none; inheritable: none$/m);
    expect(stdout).toMatch(/^network +another's: see namespaces$/m);
    expect(stdout).toMatch(/^resource limits +nofile 64:64, core 0:0$/m);
    expect(stdout).toMatch(/^seccomp +the filter: \d+ calls allowed/m);
    const json = JSON.parse((await ctr(['run', '--show-posture', '--json', '--privileged', 'true'])).stdout) as Record<string, string>;
    expect(json).toMatchObject({
      seccomp: 'none: every system call can be made',
      'hidden paths': 'none',
      'no new privileges': 'no',
      devices: 'any that it has a file of',
    });
    expect((await ctr(['run', '--show-posture', '--device', '/dev/kmsg:w', '--device-cgroup-rule', 'b 42:* r', 'true'])).stdout).toMatch(
      /^devices +none but c \*:\* m, b \*:\* m, c 1:3 rwm, .*c 136:\* rwm, c 1:11 wm, b 42:\* rm$/ms,
    );
  });

  it('can be limited, for root and for others', async () => {
    const args = ['run', '--ulimit', 'nofile=100:200', '--umask', '077', '--group-add', '7', '--sysctl', 'net.ipv4.ip_forward=1'];
    expect(await ctr([...args, 'sh', '-c', 'ulimit -Sn; ulimit -Hn; umask; id -G; cat /proc/sys/net/ipv4/ip_forward'])).toMatchObject({
      stdout: expect.stringMatching(/^100\n200\n0077\n0( 0)? 7\n1\n$/) as string,
    });
  });

  it('cannot be had where the option makes no sense', async () => {
    for (const [args, message] of [
      [['--sysctl', 'kernel.core_pattern=x'], 'sysctl kernel.core_pattern belongs to the whole host, not to a namespace: set it there'],
      [['--sysctl', 'net.ipv4.ip_forward=1', '--net', 'host'], 'sysctl net.ipv4.ip_forward needs a new net namespace: here it would change that of others'],
      [['--ulimit', 'nofiles=1'], 'nofiles'],
      [['--device', '/etc/passwd:/dev/x'], '"/etc/passwd" is no device'],
      [['--device-cgroup-rule', 'c 1:4096 z'], '--device-cgroup-rule: "c 1:4096 z" is no device rule: TYPE MAJOR:MINOR ACCESS'],
      [['--security-opt', 'apparmor=no-such-profile'], 'AppArmor'],
    ] as const) {
      const { code, stderr } = await ctr(['run', ...args, 'true']);
      expect([code, stderr]).toEqual([125, expect.stringContaining(message)]);
    }
  });
});
