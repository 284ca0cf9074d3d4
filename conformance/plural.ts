/** `1 step`, `12,345 steps`; `1 copy`, `2 copies` where the plural is another word. */
export const plural = (number: number, noun: string, more = `${noun}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? noun : more}`;
