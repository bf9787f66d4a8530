import { describe, expect, it } from 'vitest';

import { parse } from '../src/args.js';
import { commandNamed, commands } from '../src/commands.js';
import { insteadOfCommand, insteadOfOption } from '../src/docker-words.js';
import { noSettings } from '../src/settings.js';
import { ctr } from './ctr.js';

/** `docker --help` of Docker 28, with its plugins. */
const dockers =
  'run exec ps build pull push images login logout search version info builder checkpoint container context image manifest network plugin system trust volume config node secret service stack swarm attach commit cp create diff events export history import inspect kill load logs pause port rename restart rm rmi save start stats stop tag top unpause update wait compose buildx';
/** `docker run --help` of Docker 28. */
const dockersOptions =
  'add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops disable-content-trust dns dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries health-start-interval health-start-period health-timeout help hostname init interactive io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name network network-alias no-healthcheck oom-kill-disable oom-score-adj pid pids-limit platform privileged publish publish-all pull quiet read-only restart rm runtime security-opt shm-size sig-proxy stop-signal stop-timeout storage-opt sysctl tmpfs tty ulimit use-api-socket user userns uts volume volume-driver volumes-from workdir';
const dockersShortOptions = 'a c d e h i l m p P q t u v w';

const options = commandNamed('run')?.options ?? [];
const own = new Set(['help', ...options.flatMap(({ name, short, aliases = [] }) => [name, ...aliases, ...(short === undefined ? [] : [short])])]);

describe("docker's words", () => {
  it.each(dockers.split(' '))('ctr %s is a command, or has a sentence that says what to take instead', (word) => {
    const isOwn = commands.some(({ name }) => name === word);
    expect(insteadOfCommand(word) === undefined).toBe(isOwn);
  });

  it.each([...dockersOptions.split(' '), ...dockersShortOptions.split(' ')])('option %s of docker run, likewise', (name) => {
    expect(insteadOfOption(name) === undefined).toBe(own.has(name));
  });

  it('are told of on the command line', async () => {
    expect(await ctr(['ps', '-a'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: command: "ps": ctr has no daemon .*: ctr top shows those that run/) as string,
    });
    expect(await ctr(['rm', 'x'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: command: "rm": .*nothing is left to be removed/) as string,
    });
    expect(await ctr(['run', '-p', '80:80', 'true'])).toMatchObject({ code: 125, stderr: expect.stringMatching(/^ctr: -p: ctr makes no networks/) as string });
    expect(await ctr(['run', '-dit', 'sh'])).toMatchObject({ code: 125, stderr: expect.stringMatching(/^ctr: -d: ctr has no daemon/) as string });
    expect(await ctr(['run', '--mount', 'type=bind,src=/,dst=/x', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: --mount: a mount is -v/) as string,
    });
    expect(await ctr(['run', '--network=bridge', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: --network: "bridge": ctr makes no networks/) as string,
    });
    expect(await ctr(['run', '--net', 'container:web', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: --net: "container:web": pid:N joins/) as string,
    });
  });

  it('mean the same where they can: private', () => {
    const settings = noSettings();
    parse('run', ['--ipc', 'private', '--cgroupns=private', '--uts', 'private'], options, settings);
    expect(settings.namespaces).toEqual({ ipc: 'new', cgroup: 'new', uts: 'new' });
  });

  it('are not taken for options of commands that have little in common with docker run', async () => {
    expect(await ctr(['gc', '-p'])).toMatchObject({ code: 125, stderr: 'ctr: gc: "-p": there is no such option; ctr gc --help lists them\n' });
  });
});
