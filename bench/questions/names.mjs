// Names that consist of stop words, and pages full of the same words that do not mention them.

/** Adds documents and questions to a corpus (see corpus.mjs). */
export function addNames({ text, ask }) {
  const names = [
    ['The Who', 'play their last concert at the arena on 4 July', 'The Who concert'],
    ['It', 'by Stephen King returns to the open-air cinema on 9 July', 'It Stephen King'],
    ['The The', 'rehearse their album Soul Mining in the town hall', '"The The"'],
    ['Them', 'were a band from Belfast, and a lecture tells their story', 'Them Belfast'],
    ['Yes', 'perform Close to the Edge with an orchestra', 'Yes Close to the Edge'],
    ['To be or not to be', 'is the title of a comedy with Carole Lombard', 'to be or not to be'],
    ['Over and Over', 'is an opera about a broken record', '"over and over"'],
    ['AT&T', 'sponsors the fireworks and the telephone booths', 'AT&T'],
    ['Who Am I', 'is a thriller about hackers in Berlin', 'Who Am I'],
    ['Being There', 'with Peter Sellers closes the season', 'Being There'],
    ['IT', 'Crowd, the series about support staff in a basement, is shown in one night', 'IT Crowd'],
    ['B&B', 'Harbour View offers rooms with breakfast to visitors', 'B&B'],
    ['Just Because', 'is a shop for gifts beside the ticket office', 'Just Because'],
    ['On and On', 'is the song that opens the dance evening', '"on and on"'],
  ]
  for (const [i, [name, what, question]] of names.entries()) {
    const page = text(`programme ${i + 1}.txt`, [`${name} ${what}. Tickets for this evening cost ${20 + i} euros and are sold at the box office from noon on.`])
    ask('stop-word name', question, page, 1)
  }
  // What they compete with: ordinary sentences of the same words.
  for (let i = 0; i < 20; i += 1) {
    text(`letter ${i}.txt`, [
      'I wanted to be there before it was too late, but they were not at home, and who could blame them? It is now as it was then: to be on time or not does not matter to them. '
      + `At the ${['station', 'harbour', 'market', 'office', 'school'][i % 5]} we asked the man who was there, and he said that it was just what the others had said, because he had heard it on and off. The one and only thing that he knew was that it was number ${i}.`,
      `They are who they are, and that is that. Where are you now, and what are you to do about it? If it is not for them, then it may be for you or for me. There is no more to it than that, and there was no more before. We have been there ${i + 2} times, and each time it was the same.`,
    ])
  }
}
