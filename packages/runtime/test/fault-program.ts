// Tries faults in a process of its own: as root, or as an ordinary user.
import { run, type ContainerOptions } from '@ctr/runtime';

import { faultsAt, type Chosen, type Outcomes } from './fault-points.js';

const [options, chosen] = JSON.parse(process.argv[2] ?? '') as [ContainerOptions, Chosen[]];
const { terminal: _, ...others } = options;
// What is opened once for all containers is no leak.
await run(['true'], others);
const outcomes: Outcomes[] = [];
for (const one of chosen) outcomes.push(await faultsAt(options, one));
// And after all that the next one works.
await run(['true'], others);
console.log(JSON.stringify(outcomes));
