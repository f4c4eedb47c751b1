/** The first event of a server's live stream, as text. */
export async function firstEvent(url: string): Promise<string> {
  const answer = await fetch(url);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n\n")) text += (await reader.read()).value ?? "";
  await reader.cancel();
  return text.split("\n\n")[0];
}
