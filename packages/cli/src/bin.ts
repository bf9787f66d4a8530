#!/usr/bin/env node
import { main } from './main.js';
import { report } from './report.js';

process.on('uncaughtException', (error) => void report(error).then((code) => process.exit(code)));
process.exit(await main(process.argv.slice(2)));
