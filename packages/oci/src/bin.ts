#!/usr/bin/env sh
import { join } from 'node:path';

import { runProgram } from '@ctr/runtime/executable';

/** Names the content of the program: the bundler puts it in. */
declare const PROGRAM_DIGEST: string;

/** A process does one thing: what is kept compiled is kept for each of these, which engines call again and again. */
const commands = ['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'ps', 'pause', 'resume', 'update', 'events', 'list'];
const command = process.argv.slice(2).find((word) => commands.includes(word)) ?? 'other';

runProgram('ctr-oci', join(import.meta.dirname, 'program.cjs'), `${PROGRAM_DIGEST}_${command}`, require);
