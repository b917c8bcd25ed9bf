/** Text with the words of a query marked, by their beginnings. */
export function Marked({ text, query }: { text: string; query: string }) {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  if (!words.length) return text;
  return text.split(/([\p{L}\p{N}]+)/u).map((part, n) =>
    n % 2 === 1 && words.some((word) => part.toLowerCase().startsWith(word)) ? <mark key={n}>{part}</mark> : part,
  );
}
