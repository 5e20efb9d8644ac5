#!/usr/bin/env node
import { runProgram } from './program.ts';

const code = await runProgram(process.argv);

// What was written is read to its end first; a pipe may be slow. The connections of the command's peer need no such
// care: they say goodbye at the exit.
process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
