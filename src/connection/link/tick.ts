/**
 * When frames that had to wait are written. There is one callback for all links of the process: one for each link would be slow
 * with calls to many peers at once.
 *
 * With little to send, that is the end of the tick, and the first frame of a tick does not wait at all. With much to send it is the
 * end of the turn of the event loop. In one turn the system hands over all messages that have arrived, one tick for each. With 64
 * calls under way to 32 peers, each tick has an answer and makes the next call, on another link. So at the end of a tick there is
 * one frame to write, and at the end of the turn there are two for each link, in one system call. `bench/links.js` measures it.
 */

import { keepApart } from '../../base/process/module-state.ts';

interface Flushed {
  flush(): void;
}

/**
 * Signs of much to send after which frames wait for the turn. A second frame in a tick is one, and a tick on another link than the
 * one before. A tick without a sign takes one back.
 */
const FEWEST_SIGNS = 16;

/** The same after attempts that saved too little. It doubles with each of them. */
const MOST_SIGNS = 4_096;

/** Turns that are looked at together. */
const WINDOW = 64;

/** Frames for each write, over these turns. With fewer it does not pay to wait: the timer of a turn costs about 1 µs. */
const WORTH = 1.25;

/** Frames wait no longer than this, in ms, if the turn goes on with ticks that send: user functions may take their time in it. */
const LONGEST_WAIT = 0.5;

/** A turn that takes longer than this, in ms, has other work in it. After so many in one window, frames leave with their tick. */
const LONG_TURN = 2;
const MOST_LONG = 8;

/** Links with frames that wait. */
let unsent: Flushed[] = [];
/** Whether something was sent in this tick. */
let ticking = false;

/** Whether frames wait for the turn. */
let gathering = false;
let signs = 0;
let signsWanted = FEWEST_SIGNS;
let lastLink: Flushed | undefined;
/** Whether the last tick sent more than one frame. */
let wasBusy = false;

/** Whether the end of the turn is awaited. */
let turning = false;
/** When frames began to wait for it, and when the last of them did after a flush, in ms. */
let began = 0;
let since = 0;
/** What was seen since this window of turns began. */
let frames = 0;
let writes = 0;
let turns = 0;
let longTurns = 0;

keepApart({
  fresh: () => ({
    ...{ unsent: [] as Flushed[], ticking: false, gathering: false, signs: 0, signsWanted: FEWEST_SIGNS },
    ...{ lastLink: undefined as Flushed | undefined, wasBusy: false, turning: false, began: 0, since: 0 },
    ...{ frames: 0, writes: 0, turns: 0, longTurns: 0 },
  }),
  take: () => ({
    ...{ unsent, ticking, gathering, signs, signsWanted, lastLink, wasBusy, turning, began, since },
    ...{ frames, writes, turns, longTurns },
  }),
  put: (state) => {
    ({ unsent, ticking, gathering, signs, signsWanted, lastLink, wasBusy, turning, began, since } = state);
    ({ frames, writes, turns, longTurns } = state);
  },
});

/** Whether a frame has to wait. It does not if it is the first one of its tick, on any link, and there is little to send. */
export function hasToWait(link: Flushed): boolean {
  if (gathering) {
    frames += 1;
    begin();
    return true;
  }
  if (ticking) {
    signs += 1;
    wasBusy = true;
    return true;
  }
  begin();
  if (link !== lastLink) {
    lastLink = link;
    signs += 1;
  } else if (signs > 0 && !wasBusy) {
    signs -= 1;
  }
  wasBusy = false;
  if (signs >= signsWanted) gather();
  return false;
}

/** Flushes the link at the end of this tick, or of this turn. */
export function flushAtEnd(link: Flushed): void {
  unsent.push(link);
  begin();
}

function begin(): void {
  if (ticking) return;
  ticking = true;
  process.nextTick(endTick);
}

function endTick(): void {
  ticking = false;
  if (unsent.length === 0) return;
  if (!gathering) {
    flushAll();
  } else if (!turning) {
    turning = true;
    began = performance.now();
    since = began;
    setImmediate(endTurn);
  } else if (performance.now() - since > LONGEST_WAIT) {
    flushAll();
    since = performance.now();
  }
}

function endTurn(): void {
  turning = false;
  flushAll();
  turns += 1;
  if (performance.now() - began > LONG_TURN) longTurns += 1;
  if (longTurns === MOST_LONG) {
    stopGathering();
  } else if (turns === WINDOW) {
    if (frames < WORTH * writes) stopGathering();
    else signsWanted = FEWEST_SIGNS;
    startWindow();
  }
}

function gather(): void {
  gathering = true;
  signs = 0;
  startWindow();
}

function stopGathering(): void {
  gathering = false;
  signsWanted = Math.min(MOST_SIGNS, 2 * signsWanted);
}

function startWindow(): void {
  frames = 0;
  writes = 0;
  turns = 0;
  longTurns = 0;
}

function flushAll(): void {
  const links = unsent;
  unsent = [];
  writes += links.length;
  for (const link of links) link.flush();
}
