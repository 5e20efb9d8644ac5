// A story in a module of its own runs in all processors: each thread loads this file.
import { story } from 'app-net/testing';

import { careful } from './bank.ts';
import { payments } from './story.ts';

export default story(payments(careful));
