#!/usr/bin/env node
import { main } from './main.js';
import { report } from './report.js';

process.on('uncaughtException', (error) => void fail(error));
process.exit(await main(process.argv.slice(2)));

async function fail(error: unknown): Promise<never> {
  process.exit(await report(error));
}
