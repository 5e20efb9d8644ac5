#!/usr/bin/env node
import { endProcess } from './end.ts';
import { runProgram } from './program.ts';

endProcess(await runProgram(process.argv));
