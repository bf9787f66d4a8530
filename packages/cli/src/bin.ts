#!/usr/bin/env sh
import { join } from 'node:path';

import { runProgram } from '@ctr/runtime/executable';

/** Names the content of the program: the bundler puts it in. */
declare const PROGRAM_DIGEST: string;

runProgram('ctr', join(import.meta.dirname, 'program.cjs'), PROGRAM_DIGEST, require);
