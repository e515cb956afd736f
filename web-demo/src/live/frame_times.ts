/** So many frames are remembered: four seconds at 60 a second. */
export const FRAMES_KEPT = 240;
/** A longer pause than this is no slow frame: the page wasn't seen. */
const PAUSE_MS = 1_000;

/** What frames took lately. Times in microseconds. */
export interface FrameSummary {
  readonly frames: number;
  /** Null before there are two frames in a row. */
  readonly perSecond: number | null;
  readonly medianUs: number;
  readonly p99Us: number;
}

/** When the last frames began, and how long the page's script was busy in each. */
export class FrameTimes {
  readonly #beganUs: number[] = [];
  readonly #busyUs: number[] = [];

  /** A frame that began and ended at these moments, in milliseconds of one clock. */
  add(beganMs: number, endedMs: number): void {
    const before = this.#beganUs.at(-1);
    const beganUs = Math.round(beganMs * 1000);
    if (before !== undefined && beganUs - before > PAUSE_MS * 1000) this.clear();
    this.#beganUs.push(beganUs);
    this.#busyUs.push(Math.round((endedMs - beganMs) * 1000));
    if (this.#beganUs.length > FRAMES_KEPT) {
      this.#beganUs.shift();
      this.#busyUs.shift();
    }
  }

  clear(): void {
    this.#beganUs.length = 0;
    this.#busyUs.length = 0;
  }

  summary(): FrameSummary {
    const sorted = [...this.#busyUs].sort((a, b) => a - b);
    const frames = sorted.length;
    const at = (share: number) => sorted[Math.min(frames - 1, Math.floor(frames * share))] ?? 0;
    const span = frames < 2 ? 0 : this.#beganUs[frames - 1]! - this.#beganUs[0]!;
    return {
      frames,
      perSecond: span === 0 ? null : ((frames - 1) * 1_000_000) / span,
      medianUs: at(0.5),
      p99Us: at(0.99),
    };
  }
}
