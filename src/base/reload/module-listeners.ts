import { replacesEvaluation } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';

interface Kept {
  readonly evaluation: Evaluation;
  readonly name: string;
  readonly end: () => void;
}

/**
 * The listeners and hooks that modules added while they were evaluated. When a module is evaluated again and listens to an event,
 * its earlier listeners to that event end. Otherwise each reload of a development server would add one.
 */
export class ModuleListeners {
  readonly #byFile = new Map<string, Set<Kept>>();

  /**
   * @param evaluation undefined for a listener that no evaluation began; it is never replaced
   * @param end ends the listener when a later evaluation has replaced it
   * @returns a function that forgets the listener
   */
  add(evaluation: Evaluation | undefined, name: string, end: () => void): () => void {
    if (!evaluation) return () => {};
    const { file } = evaluation;
    const ofFile = this.#byFile.get(file) ?? new Set<Kept>();
    this.#byFile.set(file, ofFile);
    const kept: Kept = { evaluation, name, end };
    ofFile.add(kept);
    for (const each of ofFile) {
      if (each.name === name && replacesEvaluation(evaluation, each.evaluation)) each.end();
    }
    return () => {
      ofFile.delete(kept);
      if (ofFile.size === 0) this.#byFile.delete(file);
    };
  }
}
