import type { Link } from '../../connection/link/link.ts';

/** A function that lets calls wait when there are many. */
export interface Limited {
  /** Its calls, whoever made them. */
  readonly load: Load;
  /** Whether a call that comes now would run at once. */
  readonly hasRoom: boolean;
  /** They are told when calls come or go. */
  readonly watchers: Set<LoadWatcher>;
}

export interface Load {
  running: number;
  waiting: number;
  /** How many of them run at the same time. */
  limit: number;
}

export interface LoadWatcher {
  changed(): void;
}

/** Tells callers how busy a function is. */
export interface Telling extends LoadWatcher {
  /** A call of the function has arrived on the link. */
  called(link: Link): void;
  /** The link has closed, or its peer does not call the function any more. */
  drop(link: Link): void;
  /** The function is not connected any more. */
  end(): void;
}
