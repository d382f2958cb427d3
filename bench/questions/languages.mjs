// Documents in other languages, with compounds and inflected words, and questions about them.

/** Adds documents and questions to a corpus (see corpus.mjs). */
export function addLanguages({ text, ask }) {
  // German: near-duplicates of a lease, minutes, and a manual with compounds whose parts are asked for.
  for (const [i, [tenant, town, rent, deposit]] of [['Halden', 'Köln', 1480, 'drei'], ['Novak', 'Zürich', 2210, 'zwei'], ['Umber', 'Graz', 960, 'vier']].entries()) {
    const lease = text(`Mietvertrag ${tenant}.txt`, [
      `Mietvertrag zwischen ${tenant} und der Wohnbau ${town}. Die monatliche Miete beträgt ${rent} Euro zuzüglich Nebenkosten. Die Kaution von ${deposit} Monatsmieten ist bei der Schlüsselübergabe fällig. Der Vermieter bestätigt den Empfang schriftlich.`,
      `Die Kündigungsfrist von ${tenant} beträgt ${3 + i} Monate zum Ende eines Quartals. Schönheitsreparaturen trägt der Mieter. Haustiere sind in der Wohnung erlaubt, sofern die Nachbarn nicht gestört werden.`,
    ])
    ask('plain question', `Wie lange ist die Kündigungsfrist bei ${tenant}?`, lease, 2)
    ask('plain question', `Wie hoch ist die monatliche Miete von ${tenant} in ${town}?`, lease, 1)
    ask('inflected', `${tenant} Haustier Nachbar Wohnungen`, lease, 2)
    ask('accents missing', `${tenant} Kundigungsfrist Schonheitsreparaturen`, lease, 2)
    ask('hyphen, compound', `${tenant} Schlüssel Übergabe`, lease, 1)
    ask('hyphen, compound', `Reparaturen ${tenant}`, lease, 2)
  }
  const manual = text('Betriebsanleitung Geschirrspülmaschine.txt', [
    'Betriebsanleitung der Geschirrspülmaschine. Vor der Inbetriebnahme ist die Transportsicherung zu entfernen. Der Wasserzulauf wird mit dem beiliegenden Schlauch angeschlossen, und das Gerät wird waagerecht ausgerichtet.',
    'Wartung: Die Umwälzpumpe und der Schmutzfilter werden monatlich gereinigt. Bei einem Kurzschluss unterbricht der Fehlerstromschutzschalter die Stromversorgung. Ersatzteile liefert der Kundendienst.',
    'Fehlersuche: Leuchtet die Kontrolllampe, ist der Salzbehälter leer. Klarspüler und Regeneriersalz sind im Fachhandel erhältlich. Die Gewährleistung beträgt zwei Jahre.',
  ])
  ask('hyphen, compound', 'Pumpe reinigen', manual, 2)
  ask('hyphen, compound', 'Strom Versorgung', manual, 2)
  ask('hyphen, compound', 'Salz Behälter leer', manual, 3)
  ask('hyphen, compound', 'Geschirr', manual, 1)
  ask('hyphen, compound', 'Lampe leuchtet', manual, 3)
  ask('plain question', 'Was muss vor der Inbetriebnahme entfernt werden?', manual, 1)
  ask('typo, one word', 'Umwälzpumppe', manual, 2)
  ask('typo, one word', 'Regenerirsalz', manual, 3)

  const dutch = text('huurovereenkomst.txt', [
    'Huurovereenkomst voor een bedrijfsruimte in Gent. De huurprijs bedraagt 1.850 euro per maand, exclusief servicekosten. De verhuurder zorgt voor het onderhoud van de brandblussers en van de toegangsdeuren.',
    'De opzegtermijn bedraagt zes maanden. Verzekeringspolissen worden jaarlijks aan de verhuurder getoond. Het plaatsen van zonnepanelen op het dak is alleen met schriftelijke toestemming toegestaan.',
  ])
  ask('plain question', 'Hoe lang is de opzegtermijn van de huurovereenkomst?', dutch, 2)
  ask('hyphen, compound', 'panelen op het dak', dutch, 2)
  ask('hyphen, compound', 'polissen', dutch, 2)
  ask('hyphen, compound', 'brand blussers', dutch, 1)
  ask('inflected', 'verzekeringspolis tonen verhuurders', dutch, 2)
  ask('typo, one word', 'zonepanelen', dutch, 2)
  const swedish = text('hyresavtal.txt', [
    'Hyresavtal för en lägenhet i Malmö. Hyran är 9 800 kronor i månaden och betalas senast den sista vardagen före varje kalendermånads början. Hyresgästen ansvarar för elförbrukningen och för hemförsäkringen.',
    'Uppsägningstiden är tre månader. Tvättstugan bokas på anslagstavlan, och cykelförrådet ska hållas låst. Husdjur är tillåtna om grannarna inte störs av dem.',
  ])
  ask('plain question', 'Hur lång är uppsägningstiden för lägenheten i Malmö?', swedish, 2)
  ask('hyphen, compound', 'cykel förråd', swedish, 2)
  ask('hyphen, compound', 'försäkring', swedish, 1)
  ask('inflected', 'husdjuren granne tillåten', swedish, 2)
  ask('accents missing', 'uppsagningstiden tvattstugan', swedish, 2)
  const danish = text('lejekontrakt.txt', [
    'Lejekontrakt for et kontor i Aarhus. Huslejen udgør 7.400 kroner om måneden og reguleres hvert år efter nettoprisindekset. Udlejeren betaler for varmeforsyningen og for rengøringen af trappeopgangen.',
    'Opsigelsesvarslet er tre måneder. Brandslukkeren kontrolleres af vagtmesteren, og cykelparkeringen ligger i gården bag skolebygningen.',
  ])
  ask('plain question', 'Hvem betaler for varmeforsyningen af kontoret i Aarhus?', danish, 1)
  ask('hyphen, compound', 'cykel parkering', danish, 2)
  ask('hyphen, compound', 'bygning skole', danish, 2)

  for (const [i, [tenant, town, rent]] of [['Ferrand', 'Lyon', 1230], ['Pinecrest', 'Genève', 2640]].entries()) {
    const lease = text(`bail ${tenant}.txt`, [
      `Contrat de bail entre ${tenant} et la régie de ${town}. Le loyer mensuel s'élève à ${rent} euros, charges non comprises. Un dépôt de garantie de ${2 + i} mois est versé à la remise des clés.`,
      `Le préavis de ${tenant} est de ${3 + i} mois. Le locataire s'engage à entretenir la chaudière et à signaler sans délai les dégâts des eaux. Les animaux domestiques sont tolérés.`,
    ])
    ask('plain question', `Quel est le montant du loyer mensuel de ${tenant} à ${town} ?`, lease, 1)
    ask('inflected', `${tenant} entretenir chaudières dégât`, lease, 2)
    ask('accents missing', `depot de garantie ${tenant} cles`, lease, 1)
    ask('typographic phrase', `« dégâts des eaux » ${tenant}`, lease, 2)
  }
  for (const [i, [tenant, town, rent]] of [['Orsino', 'Sevilla', 870], ['Quarry Lane', 'Bilbao', 1190]].entries()) {
    const lease = text(`arrendamiento ${tenant}.txt`, [
      `Contrato de arrendamiento entre ${tenant} y la inmobiliaria de ${town}. La renta mensual asciende a ${rent} euros, sin los gastos de comunidad. La fianza de ${1 + i} meses se entrega con las llaves.`,
      `${tenant} podrá rescindir el contrato con un preaviso de ${2 + i} meses. Las reparaciones de la calefacción corren a cargo del propietario. La información sobre averías se comunica por escrito.`,
    ])
    ask('plain question', `¿A cuánto asciende la renta mensual de ${tenant} en ${town}?`, lease, 1)
    ask('inflected', `${tenant} reparación avería`, lease, 2)
    ask('accents missing', `${tenant} informacion calefaccion`, lease, 2)
    ask('typo', `${tenant} reparacoines calefacción`, lease, 2)
  }
  for (const [i, [party, place, month]] of [['ハルデン', '東京都庁', '四月'], ['ノバク', '大阪駅', '九月'], ['フェラン', '名古屋城', '六月']].entries()) {
    const schedule = text(`予定 ${i + 1}.txt`, [
      `${party}との契約は${month}に更新されます。担当者は田中で、${place}の近くの事務所で会議を行う予定です。参加者は名刺と議事録の写しを持参してください。`,
    ])
    ask('plain question', `${party}との契約の更新はいつですか`, schedule, 1)
    ask('keywords', `${place} 会議`, schedule, 1)
  }
}
