// English documents of twelve invented companies, and questions about them. The documents of all companies follow the same
// templates, and agreements exist in two versions, so that only a few words of a question tell the right page.

export const companies = [
  { name: 'Halden Logistics', town: 'Leeds', goods: 'pallets', person: 'Ingrid Sørlie', plain: 'Ingrid Sorlie', trouble: 'subsidence of the loading ramp', act: 'to resurface the forecourt' },
  { name: 'Brightwater Dairy', town: 'Cork', goods: 'yoghurt cultures', person: 'Paul Méndez', plain: 'Paul Mendez', trouble: 'mould in the ripening cellar', act: 'to disinfect the ventilation ducts' },
  { name: 'Orsino Textiles', town: 'Porto', goods: 'linen', person: 'Ada Okàfor', plain: 'Ada Okafor', trouble: 'moth infestation of the archive', act: 'to fumigate the storeroom' },
  { name: 'Kestrel Robotics', town: 'Graz', goods: 'servo motors', person: 'Jiří Dvořák', plain: 'Jiri Dvorak', trouble: 'vibration of the gearbox', act: 'to rebalance the flywheel' },
  { name: 'Marlow & Finch', town: 'Bergen', goods: 'bookshelves', person: 'Lena Grün', plain: 'Lena Grun', trouble: 'warping of the oak veneer', act: 'to humidify the workshop' },
  { name: 'Pinecrest Hotels', town: 'Lyon', goods: 'mattresses', person: 'Tom Ashbý', plain: 'Tom Ashby', trouble: 'flooding of the laundry', act: 'to unclog the drainpipes' },
  { name: 'Tamarind Foods', town: 'Turin', goods: 'spice mixes', person: 'Noor Haddâd', plain: 'Noor Haddad', trouble: 'shortage of cardamom', act: 'to reformulate the recipes' },
  { name: 'Novak Bearings', town: 'Malmö', goods: 'ball bearings', person: 'Carla Rössi', plain: 'Carla Rossi', trouble: 'contamination of the lubricant', act: 'to recalibrate the micrometers' },
  { name: 'Solveig Shipping', town: 'Ghent', goods: 'containers', person: 'Owen Prŷce', plain: 'Owen Pryce', trouble: 'leakage of the ballast tank', act: 'to repaint the hull' },
  { name: 'Quarry Lane Dental', town: 'Bath', goods: 'crowns', person: 'Mei Tanàka', plain: 'Mei Tanaka', trouble: 'failure of the autoclave', act: 'to sterilise the handpieces' },
  { name: 'Ferrand Vineyards', town: 'Köln', goods: 'grape presses', person: 'Luc Bérard', plain: 'Luc Berard', trouble: 'frost damage on the terraces', act: 'to replant the southern slope' },
  { name: 'Umber Studio', town: 'Zürich', goods: 'posters', person: 'Sofía Núñez', plain: 'Sofia Nunez', trouble: 'misalignment of the plotter', act: 'to relocate the darkroom' },
]

const filler = [
  'The parties shall cooperate in good faith and inform each other without delay about events that affect performance.',
  'Deliveries are inspected on arrival and defects are reported in writing within ten working days of receipt.',
  'Neither side is liable for delays caused by strikes, floods or other events beyond its reasonable control.',
  'All notices under this agreement are sent by registered mail to the address given on the first page.',
  'Confidential information is kept secret for five years after the end of the cooperation.',
  'Changes and additions are only valid if both sides have signed them.',
  'The interest of each party in a prompt settlement of invoices is acknowledged; payment by bank transfer is preferred.',
  'A period ends at midnight of its last day; if that is a holiday, on the next working day.',
]
const fill = (n, from) => Array.from({ length: n }, (_, at) => filler[(from * 3 + at * 5 + at * at) % filler.length]).join(' ')

/** Adds documents and questions to a corpus (see corpus.mjs). */
export function addEnglish({ text, csv, mail, context, ask }) {
  for (const [i, { name, town, goods, person, plain, trouble, act }] of companies.entries()) {
    const [incident, , ...rest] = trouble.split(' ')
    const iban = `DE${10 + i} 3704 0044 0532 ${1000 + i * 37}00`
    const order = `PO-${2023 + (i % 3)}-${4100 + i * 17}`
    const total = 12500 + i * 1235

    // Two versions of one agreement: the draft of 2022 and the one of 2024.
    for (const [version, year] of [[0, 2022], [1, 2024]]) {
      if (version === 0 && i % 2) continue
      const notice = 30 + i * 5 + version * 60
      const agreement = text(`${name} supply agreement ${year}.txt`, [
        `Supply agreement ${year} between ${name} of ${town} and Northgate Trading. Subject of the agreement is the supply of ${goods}. ${fill(3, i)}`,
        `Termination. From ${year} on, either party may terminate the agreement with a notice period of ${notice} days to the end of a quarter. Orders placed before remain binding for ${name}. ${fill(2, i + version)}`,
        `Prices and payment. Invoices of ${name} are payable within ${14 + i + version} days. In ${year} late payments carry interest of ${4 + (i % 5)} percent. ${version ? `Bank account ${iban}. ` : ''}${fill(2, i + 2)}`,
        `Warranty. ${name} guarantees its ${goods} for ${12 + i + version * 12} months. Spoiled or broken pieces are replaced free of charge if the complaint of ${year} arrives with photographs. ${fill(2, i + 4)}`,
      ])
      if (version === 0) {
        ask('plain question', `Under the agreement of ${year}, which interest do we owe ${name} on late payments?`, agreement, 3)
        continue
      }
      ask('plain question', `What is the notice period for terminating the ${year} agreement with ${name}?`, agreement, 2)
      ask('plain question', `For how many months does ${name} guarantee the ${goods} under the ${year} agreement?`, agreement, 4)
      ask('keywords', `${name} termination notice period ${year}`, agreement, 2)
      ask('number, code', i % 2 ? iban : iban.replaceAll(' ', ''), agreement, 3)
      ask('paraphrase', i % 2
        ? `how long before we can get out of the ${year} deal with ${name}, ending the agreement`
        : `does ${name} give us new ${goods} for nothing when pieces arrive broken, under ${year} terms`, agreement, i % 2 ? 2 : 4)
    }

    const minutes = text(`${name} minutes.txt`, [
      `Minutes of the meeting with ${name} on ${3 + i} March. Present: ${person}, board of directors. The follow-up visit in ${town} was postponed because the warehouse is being renovated. ${fill(2, i + 1)}`,
      `${person} of ${name} reported that sales of ${goods} rose by ${3 + i} percent. The committee decided to hire ${2 + i} additional technicians and to replace the heating of the factory. ${fill(2, i + 3)}`,
      `Any other business. ${name} informed the directors about the ${trouble}. It was agreed ${act} before winter, and to report to ${person} in April. ${fill(1, i)}`,
    ])
    ask('plain question', `Why was the follow-up visit to ${name} postponed?`, minutes, 1)
    ask('inflected', `${name} decides hiring technician`, minutes, 2)
    ask('inflected', `${name} agreeing director ${rest.at(-1)}s`, minutes, 3)
    ask('accents missing', `${plain} sales report`, minutes, 2)
    ask('hyphen, compound', `${name} ${['followup visits', 'follow up visit', 'follow-up visits'][i % 3]}`, minutes, 1)
    ask('typographic phrase', `“${rest.slice(-2).join(' ')}” ${name}`, minutes, 3)
    ask('typo, one word', misspell(i % 3 === 1 && incident.length < 6 ? act.split(' ')[1] : incident.length > 6 ? incident : act.split(' ')[1], i), minutes, 3)
    ask('typo', `${name} ${misspell('additional', i)} ${misspell('technicians', i + 1)}`, minutes, 2)
    ask('paraphrase', `what went wrong at ${name}: ${incident} trouble the board heard about`, minutes, 3)

    const invoice = text(`invoice ${7000 + i * 13}.txt`, [
      `Invoice ${order} to ${name}, ${town}. 12 boxes of ${goods} at ${(total / 12).toFixed(2)} each, total ${total.toLocaleString('en')}.00 euros. Contact billing.${i}@northgate.example, https://pay.northgate.example/i/${7000 + i * 13}. ${fill(1, i)}`,
    ])
    ask('number, code', [order, order.replaceAll('-', ' '), order.replaceAll('-', '')][i % 3], invoice, 1)
    ask('number, code', [`${total}`, total.toLocaleString('en'), total.toLocaleString('de')][i % 3], invoice, 1)
    ask('address, URL', `billing.${i}@northgate.example`, invoice, 1)
    if (i % 2) ask('address, URL', `https://pay.northgate.example/i/${7000 + i * 13}`, invoice, 1)

    const policy = text(`${name} travel and leave policy.md`, [
      `# Travel\n\nPolicy of ${name}. Employees travel second class. Hotels up to ${90 + i * 3} euros per night are reimbursed if receipts are handed in. ${fill(1, i + 5)}`,
      `# Leave\n\nAnnual leave at ${name} is ${24 + (i % 6)} days. Unused days expire at the end of March. Parental leave is granted for up to ${8 + i} weeks. ${fill(1, i + 6)}`,
    ])
    ask('plain question', `How many days of leave do employees of ${name} have each year?`, policy, 2)
    ask('paraphrase', `what does ${name} refund for a night in hotels on business trips?`, policy, 1)
    ask('inflected', `${name} reimbursing hotel receipt`, policy, 1)
    ask('typo', `${name} ${misspell('parental', i + 2)} leave weeks`, policy, 2)

    // A curriculum vitae, and lists: hardly a sentence, so that their language may not be guessed.
    const skills = ['welding', 'bookkeeping', 'forklift licence', 'beekeeping', 'typesetting', 'glassblowing', 'radiography', 'translation', 'navigation', 'upholstery', 'enamelling', 'surveying']
    if (i % 2 === 0) {
      const vitae = text(`cv ${plain.split(' ')[1]}.txt`, [
        `${person}\n${town}, +44 20 7946 0${100 + i}\n\n2016–2019 ${companies[(i + 1) % 12].name}: assistant\n2019–2024 ${name}: head of ${goods}\nSkills: ${skills[i]}, ${skills[(i + 5) % 12]}\nLanguages: English, ${['Norwegian', 'Portuguese', 'Danish', 'Italian', 'Dutch', 'French'][i / 2]}`,
      ])
      ask('short text', `who was head of ${goods} and has the skill ${skills[i]}`, vitae, 1)
      ask('short text', `assistant at ${companies[(i + 1) % 12].name} ${skills[i]} skills`, vitae, 1)
      ask('number, code', i % 4 ? `020 7946 0${100 + i}` : `+4420794601${String(i).padStart(2, '0')}`, vitae, 1)
    } else {
      const prices = csv(`${name} price list.csv`, [
        ['article', 'description', 'price'],
        ...[0, 1, 2, 3].map((n) => [`${name.slice(0, 2).toUpperCase()}${100 + i * 7 + n}`, `${goods}, ${['small', 'medium', 'large', 'extra large'][n]}`, `${(i + 1) * 3 + n}.${50 + n}`]),
      ])
      ask('short text', `price of large ${goods} from ${name}`, prices, 1)
      ask('number, code', `${name.slice(0, 2).toUpperCase()}${100 + i * 7 + 2}`, prices, 1)
    }
    const note = text(`note ${i}.txt`, [`call ${name}: ring back ${person.split(' ')[0]}, ${['samples', 'brochures', 'drawings'][i % 3]} of ${goods} got lost; ask insurers about claims`])
    ask('short text', `did the ${['sample', 'brochure', 'drawing'][i % 3]} of ${name} get lost?`, note, 1)

    if (i % 3 === 0) {
      const letter = mail(`Re: ${goods}`, `${plain.split(' ')[0].toLowerCase()}@${name.split(' ')[0].toLowerCase()}.example`,
        `Dear colleagues,\n\nthe carrier left ${i + 2} crates of ${goods} at the wrong gate in ${town}. Could you reschedule the pickup for Thursday and waive the demurrage? The customs broker is away until Monday.\n\nKind regards,\n${person}`)
      ask('plain question', `Who asked us to reschedule the pickup of the crates in ${town}?`, letter, 1)
      ask('address, URL', `${plain.split(' ')[0].toLowerCase()}@${name.split(' ')[0].toLowerCase()}.example`, letter, 1)
      ask('typo', `${misspell('demurrage', i)} crates ${town}`, letter, 1)
    }

    context(name, `${name} prefers deliveries on ${['Monday', 'Tuesday', 'Friday'][i % 3]} mornings and complains about scratched surfaces of ${goods}.`,
      { owner: plain, stage: ['won', 'lost', 'negotiating'][i % 3] },
      [['context', `${name} complaint scratch surface`], ['context', `On which mornings does ${name} prefer deliveries?`]])
  }
}

/** A slip of the finger that depends on `n`: two letters swapped, one missing, one doubled, or one replaced. */
export function misspell(word, n) {
  const at = 2 + (n % Math.max(1, word.length - 4))
  const [before, letter, next, after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)]
  // The kinds take turns.
  return [
    letter === next ? before + letter + after : before + next + letter + after,
    before + next + after,
    before + letter + letter + next + after,
    before + (letter === 'e' ? 'a' : 'e') + next + after,
  ][n % 4]
}
