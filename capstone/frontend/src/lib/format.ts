/** Probability of a click from a ranker's score; null where the score is no log odds. */
export function clickProbability(score: number, ranker: string | undefined): number | null {
  return ranker === "logistic" ? 1 / (1 + Math.exp(-score)) : null;
}

/** "12 %", and below one per cent with a digit. */
export function percent(fraction: number): string {
  const value = 100 * fraction;
  return `${value > 0 && value < 1 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** A metric with three or four significant digits: 0.6123, 12.35, 300. */
export function metric(value: number | undefined | null): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(3);
  return size >= 0.001 ? value.toFixed(4) : value.toExponential(2);
}

/** A duration: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}

/** A time in the reader's zone, to the minute. */
export function when(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  return date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** One of 24 hues, the same for a category everywhere. */
export function hue(category: string): number {
  let sum = 0;
  for (const letter of category) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return (sum % 24) * 15;
}

export const plural = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
