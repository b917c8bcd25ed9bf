"""The sentences of the synthetic news, and how a reader would ask for what they say.

A line `. ...` is a sentence of `newsreco.synthetic.topics`; the lines `? question -> answer` that
follow ask for it in other words. `ELSEWHERE` are questions that no newspaper of this world
answers, `STRANGERS` names of nobody in it.
"""

PATTERNS = """
. {scorer} scored in the {minute} minute as {club} beat {rival} {win} in the league at {ground}.
? Who found the net when {club} defeated {rival}? -> {scorer}
? How late was it when {scorer} hit the back of the net for {club}? -> {minute} minute
? What was the result between {club} and {rival}? -> {win}
. {club} and {rival} drew {draw} at {ground} in a league match with {2-9} bookings.
? How many yellow cards did the referee give to {club} and {rival}? -> {2-9} bookings
? What was the result between {club} and {rival}? -> {draw}
. {scorer} levelled in the {minute} minute before {crowd} spectators.
? How many people watched {scorer} equalise? -> {crowd} spectators
. {club} won the penalty shoot-out against {rival} and are through to the cup {round}.
? Which team eliminated {rival} from the spot? -> {club}
. {club} knocked holders {rival} out of the cup with a {win} win at {ground}.
? Which underdog ended the defence of the trophy by {rival}? -> {club}
. {club} have signed the {role} {target} from {rival} for a transfer fee of {sum}.
? How much money did {club} pay to buy {target}? -> {sum}
? Which team did {target} leave to join {club}? -> {rival}
. {rival} have turned down a bid of {sum} from {club} for the {role} {target}.
? How much money was {club} ready to spend on {target}? -> {sum}
. {woman} scored three times as the women of {club} beat {rival} {rout}.
? Which player hit a treble for the ladies of {club}? -> {woman}
. {scorer} of {club} will miss {2-9} weeks with a {injury} injury.
? How long is {scorer} out of action? -> {2-9} weeks
? What part of the body did {scorer} of {club} hurt? -> {injury}
. Owner {person} wants {sum} for {club}, and {2-9} bidders have asked for the books.
? At what price does {person} offer to let {club} go? -> {sum}
. {person} beat {person2} in straight sets in the final of the {place} Open.
? Whom did {person} defeat to take the title? -> {person2}
? Who is the champion of the tournament in {place} over {person2}? -> {person}
. {person} won the mountain stage to {place}, {12-95} seconds ahead of {person2}.
? Who came second behind {person} on the climb? -> {person2}
. Stroke {person} set a rate of {34-42} before the wind turned on the lake.
? How fast did the oars of {person} go? -> {34-42}
. A poll puts {person} {2-9} points ahead of {person2} in the race for mayor of {place}.
? Who is the favourite to run {place} as its mayor? -> {person}
? Who trails {person} in the survey? -> {person2}
. Councillor {person} called the {plan} overdue; {person2} voted against the budget.
? Who opposed the {plan} that {person} wanted? -> {person2}
. The council of {place} approved a {plan} for {sum} with a majority of {2-9} votes.
? What will the {plan} cost the taxpayers of {place}? -> {sum}
. Chief negotiator {person} spoke of progress; minister {person2} walked out on {day}.
? Who left the meeting with {person} in anger? -> {person2}
. An earthquake of magnitude {2-9}.1 shook {place} on {day}; {40-900} people were evacuated.
? How many had to leave their homes when the ground moved in {place}? -> {40-900} people
. Analyst {person} expects a profit of {sum} for the year.
? What earnings does {person} foresee? -> {sum}
. {firm} pays {sum} for its competitor {firm2}, the boards said on {day}.
? What does the takeover of {firm2} by {firm} cost? -> {sum}
. The {gadget} of {firm} runs {2-9} days on one battery and costs {190-990} dollars.
? What is the price of the {gadget} made by {firm}? -> {190-990} dollars
. Attackers took {2-9} million passwords from {firm}, the company said on {day}.
? How many credentials were stolen from {firm}? -> {2-9} million
. Speedrunner {person} finished the video game "{game}" in {21-95} minutes.
? How quickly did {person} get to the end of "{game}"? -> {21-95} minutes
. The probe passed asteroid {1001-9900} at a distance of {2-9} thousand kilometres.
? How close did the spacecraft get to asteroid {1001-9900}? -> {2-9} thousand kilometres
. Biologists counted {12-240} breeding pairs of the {animal} in the reserve near {place}.
? How many couples of the {animal} live around {place}? -> {12-240} breeding pairs
. {75-180} minutes of exercise a week lower blood pressure, a study in {place} finds.
? How much training does the research from {place} recommend? -> {75-180} minutes
. A vaccine against {vaccine} protected {38-81} per cent of patients in a trial in {place}.
? How well does the jab for {vaccine} that {place} tested work? -> {38-81} per cent
. Chef {person} simmers garlic, butter and thyme before the {dish} goes into the oven.
? What does the cook {person} bake? -> {dish}
. Chef {person} has opened a bistro with {24-80} seats in {place}.
? How many guests can {person} serve at once? -> {24-80} seats
. Hotel rooms cost from {60-190} dollars in the low season, said guide {person}.
? What is the cheapest overnight stay according to {person}? -> {60-190} dollars
. Forecasters expect gusts of {90-160} kilometres an hour and flooding in {place} on {day}.
? How strong will the wind blow on {day} in {place}? -> {90-160} kilometres
. The film "{film}" with {person} took {sum} at the box office on its first weekend.
? How much did the movie starring {person} earn when it opened? -> {sum}
. Director {person2} shot it in {place} in {21-90} days.
? In which town did {person2} work behind the camera? -> {place}
. Singer {person} sold out the concert in {place} in {11-90} minutes.
? How quickly were the tickets for {person} gone? -> {11-90} minutes
. The new album of {person} has {9-16} songs and was recorded in {place}.
? How many tracks did {person} put on the record? -> {9-16} songs
. {person} from {place} won the jackpot of ${100-900},000 in the quiz on {day}.
? What sum did {person} take home from television? -> ${100-900},000
. {firm} recalls {12-240} thousand electric cars because of the brakes.
? How many vehicles must go back to {firm}? -> {12-240} thousand
. Burglars took paintings worth {sum} from a museum in {place} on {day}.
? What is the value of the art stolen in {place}? -> {sum}
. Gardener {person} plants {plant} in rows, {15-60} centimetres apart.
? How much space does {person} leave between {plant}? -> {15-60} centimetres
. A school in {place} keeps the phones of {240-900} pupils in lockers during lessons.
? How many children in {place} cannot use their mobile in class? -> {240-900} pupils
"""

ELSEWHERE = """
What is the capital of Portugal?
How do I remove a wine stain from a carpet?
Who painted the ceiling of the Sistine Chapel?
What is the boiling point of ethanol?
Which planet has the most moons?
How many strings does a violin have?
When did the Roman Empire fall?
Who invented the printing press?
What does a marmot eat in the mountains?
How deep is the Mariana Trench?
Which language do they speak in Angola?
How do bees find their way back to the hive?
What is the square root of 1369?
Who wrote the novel Middlemarch?
Can I plant tomatoes next to fennel?
How long does the light of the sun need to reach us?
Which chess opening begins with the king's pawn?
What time does the supermarket in my street close?
How do I reset the password of my router?
Is the ferry to the island running today?
Who will win the basketball play-offs?
What did the prime minister of Iceland say about fishing quotas?
How many medals did the swimmers bring home?
Which vaccine was approved for malaria?
Why did the volcano erupt?
How high are the tariffs on imported steel?
When is the next eclipse of the moon?
What did the court decide on the patent of the insulin pump?
How many people live in the capital?
Did the strike of the bus drivers end?
Which university has the best school of medicine?
What is the recipe for a chocolate mousse?
How much does a litre of petrol cost?
Who is the new conductor of the opera?
What causes migraine?
Which dog breed is good with children?
How do I fold a paper crane?
What was the weather like on the day of the moon landing?
Who leads the national team in rugby?
How many bones are in the human hand?
""".strip().splitlines()

STRANGERS = (
    """
Berta Qually|Ossian Trewick|Petronella Vask|Gideon Amberfall|Xanthe Birkenow|Ludo Marchetto
Hexby Orient|Port Lanfried|Skarholm Victoria|Old Wrexdale|Cintra Bay|Dunfallow
""".strip()
    .replace("\n", "|")
    .split("|")
)
