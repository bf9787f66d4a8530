import { childPlan, plan, run, standalone, start, type ContainerOptions } from '@ctr/runtime';

/** Only for the compiler: a command may come from anywhere. */
const words: readonly string[] = ['true'];
const commands = (): unknown[] => [run(words), start(words), plan(words), childPlan(words), standalone(words)];

const options: ContainerOptions = { capabilities: { add: ['NET_ADMIN', 'net_raw', 'CAP_CHOWN'], drop: 'all' }, user: 'nobody', env: process.env };
// @ts-expect-error there is no such capability
const noCapability: ContainerOptions = { capabilities: { add: ['NET_ADMINISTRATION'] } };

const text = async (): Promise<string> => (await run(words)).stdout;
const bytes = async (): Promise<Buffer> => (await run(words, { encoding: 'buffer' })).stdout;

export const checked = [commands, options, noCapability, text, bytes];
