import type { Recommendations, Recommended } from "../api/types";

/** A card: an article with the list and position that it was served at. */
export interface Slot {
  item: Recommended;
  list_id: string;
  position: number;
  cold_start: boolean;
  state: "fresh" | "read" | "liked" | "leaving";
  isNew: boolean;
}

/**
 * The next list in the page's slots: what the user read or liked stays where it is, and the new
 * recommendations fill the rest in their order. All cards have one size, so nothing jumps.
 */
export function merge(slots: Slot[], answer: Recommendations): Slot[] {
  const shown = new Set(slots.map((slot) => slot.item.id));
  const kept = new Map<number, Slot>();
  slots.forEach((slot, n) => {
    if (slot.state === "read" || slot.state === "liked") kept.set(n, { ...slot, isNew: false });
  });
  const keptIds = new Set([...kept.values()].map((slot) => slot.item.id));
  const fresh = answer.recommendations.flatMap((item, position): Slot[] => keptIds.has(item.id) ? [] : [{
    item, position, list_id: answer.list_id, cold_start: answer.cold_start, state: "fresh",
    isNew: slots.length > 0 && !shown.has(item.id),
  }]);
  const merged: Slot[] = [];
  while (kept.size > 0 || fresh.length > 0) {
    const stays = kept.get(merged.length) ?? fresh.shift() ?? [...kept.values()][0]!;
    for (const [n, slot] of kept) if (slot === stays) kept.delete(n);
    merged.push(stays);
  }
  return merged;
}

/** The slots with one article in another state. */
export const marked = (slots: Slot[], id: string, state: Slot["state"]): Slot[] =>
  slots.map((slot) => (slot.item.id === id ? { ...slot, state } : slot));

/** Articles for a new user to choose from: at most `each` of a category, the best first. */
export function varied(items: Recommended[], each: number, count: number): Recommended[] {
  const taken = new Map<string, number>();
  return items
    .filter(({ category }) => {
      const n = (taken.get(category) ?? 0) + 1;
      taken.set(category, n);
      return n <= each;
    })
    .slice(0, count);
}
