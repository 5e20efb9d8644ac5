#!/usr/bin/env node
import { endProcess } from './terminal/end.ts';
import { runProgram } from './program.ts';

endProcess(await runProgram(process.argv));
