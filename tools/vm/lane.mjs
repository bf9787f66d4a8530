// The tests that need other kernels and other control groups than this machine has: on each machine one run of vitest with all that is for it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root } from '../setup.mjs';
import { missing as missingForArm64 } from './arm64.mjs';
import { boot, missingFor } from './boot.mjs';
import { kernel } from './kernel.mjs';

/** @import { Counts } from '../reporter.mjs' */
/** @import { Profile } from './boot.mjs' */
/** @import { Kernel } from './kernel.mjs' */

/** @typedef {{ profile: Profile | 'arm64', release: string, files: readonly string[] }} Run */
/** @typedef {{ name: string, counts: Counts, output: string, seconds: number }} Outcome */

const ofGroups = /^packages\/cgroups\/test\/[\w-]+\.root\.test\.ts$/;
const ofVersion1 = /^packages\/cgroups\/test\/[\w-]+(\.v1)?\.root\.test\.ts$/;
const ofVersion2 = /^packages\/(?!oci\/test\/clients\/).*\.v2\.root\.test\.ts$/;
const ofSystemd = /\.systemd\.root\.test\.ts$/;
const ofArm64 = /\.arm64\.root\.test\.ts$/;
/** Other people's engines, which take long on an emulated processor. */
const ofClients = /^packages\/oci\/test\/clients\/(containerd|[\w-]+\.v2)\.root\.test\.ts$/;
const someOfClients = /^packages\/oci\/test\/clients\/[\w-]+\.v2\.root\.test\.ts$/;
const ofContainers = /^packages\/runtime\/test\/(cgroup|rootless-groups|attack\/devices)\.root\.test\.ts$/;

/**
 * The machines, those that take longest first, and the tests that run there: by hand, and in CI, which has some minutes for all.
 * Debian's 6.12 has neither memory nor cpuset on version 1.
 *
 * @type {readonly { profile: Profile | 'arm64', release: string, tests: readonly RegExp[], inCi: readonly RegExp[] }[]}
 */
const machines = [
  { profile: 'v2', release: '6.12', tests: [ofGroups, ofVersion2, ofContainers, ofClients], inCi: [ofGroups, ofVersion2, ofContainers, someOfClients] },
  { profile: 'v1', release: '6.1', tests: [ofVersion1], inCi: [/^packages\/cgroups\/test\/(group|plan-group|statistics|remove|limits\.v1)\.root\.test\.ts$/] },
  { profile: 'v2', release: '6.1', tests: [ofGroups, ofVersion2, ofContainers], inCi: [ofVersion2] },
  { profile: 'arm64', release: '6.1', tests: [ofArm64], inCi: [ofArm64] },
  { profile: 'hybrid', release: '6.12', tests: [ofGroups], inCi: [] },
  { profile: 'systemd', release: '6.12', tests: [ofSystemd], inCi: [ofSystemd] },
  { profile: 'systemd', release: '6.1', tests: [ofSystemd], inCi: [] },
];
/** Longer than all of a run takes; a test on its own may take as long as it takes elsewhere four times. */
const timeoutMs = 900_000;
const testTimeoutMs = 120_000;
/** One process for all files: on an emulated processor it takes seconds until one has loaded what it tests. */
const options = ['--no-isolate', '--no-file-parallelism', '--no-color', `--testTimeout=${testTimeoutMs}`, `--hookTimeout=${testTimeoutMs}`];

/**
 * The runs of one profile or of all, on one release or on all, with what CI has time for or with everything.
 *
 * @param {{ profile?: string | undefined, release?: string | undefined, ci?: boolean }} which
 * @returns {Run[]}
 */
export function runs({ profile, release, ci = false }) {
  const all = readdirSync(join(root, 'packages')).flatMap((name) => {
    const directory = join(root, 'packages', name, 'test');
    const files = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : [];
    return files.map((file) => `packages/${name}/test/${file}`);
  });
  return machines
    .filter((machine) => (profile ?? machine.profile) === machine.profile && (release ?? machine.release) === machine.release)
    .map(({ profile, release, tests, inCi }) => ({
      profile,
      release,
      files: all.filter((file) => (ci ? inCi : tests).some((pattern) => pattern.test(file))).toSorted(),
    }))
    .filter(({ files }) => files.length > 0);
}

/**
 * Makes the runs, two at a time, and tells of each when it is over.
 *
 * @param {readonly Run[]} list
 * @param {(outcome: Outcome) => void} report
 */
export async function lane(list, report) {
  const kernels = list.map(kernelFor);
  const queue = [...list.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) report(await outcome(next[1], kernels[next[0]] ?? ''));
  };
  await Promise.all([worker(), worker()]);
}

/**
 * @param {Run} run
 * @param {Kernel | string} kernel or why there is none
 * @returns {Promise<Outcome>}
 */
async function outcome({ profile, release, files }, kernel) {
  /** @type {Counts} */
  const counts = { passed: [], unsteady: [], failed: [], skipped: [] };
  if (typeof kernel === 'string') {
    counts.skipped.push({ name: `vm: ${profile} on Linux ${release}`, reason: kernel });
    return { name: `${profile} on Linux ${release}`, counts, output: '', seconds: 0 };
  }
  const start = performance.now();
  let output = '';
  /** @param {string} results */
  const collect = (results) => {
    for (const file of existsSync(results) ? readdirSync(results) : []) {
      const part = /** @type {Counts} */ (JSON.parse(readFileSync(join(results, file), 'utf8')));
      counts.passed.push(...part.passed);
      counts.unsteady.push(...part.unsteady);
      counts.failed.push(...part.failed);
      counts.skipped.push(...part.skipped);
    }
  };
  const command = /** @type {const} */ ([process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...options, ...files]);
  const code =
    profile === 'arm64'
      ? await here(command, release, collect, (text) => (output += text))
      : await boot({
          profile,
          kernel,
          cwd: root,
          command,
          env: { CTR_TEST_RESULTS: '/vm/results' },
          timeoutMs,
          collect: (directory) => collect(join(directory, 'results')),
          output: (text) => (output += text),
        });
  if (code !== 0 && counts.failed.length === 0) counts.failed.push({ name: 'the run', message: output });
  return { name: `${profile} on Linux ${kernel.name}`, counts, output, seconds: (performance.now() - start) / 1000 };
}

/** @param {Run} run @returns {Kernel | string} a text says why there is none */
function kernelFor({ profile, release }) {
  try {
    return (profile === 'arm64' ? missingForArm64() : missingFor(profile)) ?? kernel(release, profile === 'arm64' ? 'arm64' : 'amd64');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * For a machine that cannot run what this one has: the tests run here, and boot it themselves.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {string} release
 * @param {(results: string) => void} collect
 * @param {(text: string) => void} output
 * @returns {Promise<number>} the exit code
 */
async function here([program, ...args], release, collect, output) {
  const results = mkdtempSync(join(tmpdir(), 'ctr-vm-'));
  try {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, CTR_ARM64: release, CTR_TEST_RESULTS: results },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', output);
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    collect(results);
    return code ?? 1;
  } finally {
    rmSync(results, { recursive: true });
  }
}
