"""The sentences of the synthetic news, and how a reader would ask for what they say.

A line `. ...` is a sentence of `newsreco.data.topics`; the lines `? question -> answer` that
follow ask for it in other words. `ELSEWHERE` are questions that no newspaper of this world
answers, `STRANGERS` names of nobody in it.
"""

PATTERNS = """
. {scorer} scored in the {minute} minute as {club} beat {rival} {win} in the league at {ground}.
? Who found the net when {club} defeated {rival}? -> {scorer}
? What was the result between {club} and {rival}? -> {win}
? How late was it when {scorer} hit the back of the net for {club}? -> {minute} minute
. {club} and {rival} drew {draw} at {ground} in a league match with {few} bookings.
? How many yellow cards did the referee give to {club} and {rival}? -> {few} bookings
? What was the result between {club} and {rival}? -> {draw}
. {scorer} levelled in the {minute} minute before {crowd} spectators.
? How many people watched {scorer} equalise? -> {crowd} spectators
. {club} knocked out {rival} and are through to the cup {round}.
? Which team eliminated {rival}? -> {club}
? How far did {club} get by defeating {rival}? -> {round}
. {club} have signed the {role} {scorer} from {rival} for a transfer fee of {sum}.
? How much money did {club} pay to buy {scorer}? -> {sum}
? Which team did {scorer} leave to join {club}? -> {rival}
. {person} scored three times as the women of {club} beat {rival} {win}.
? Which player hit a treble for the ladies of {club}? -> {person}
. {scorer} of {club} will miss {few} weeks with a {injury} injury.
? How long is {scorer} out of action? -> {few} weeks
? What part of the body did {scorer} of {club} hurt? -> {injury}
. {person} beat {other} in the final of the {place} Open after {few} break points.
? Whom did {person} defeat to take the title? -> {other}
? Who is the champion of the tournament in {place} over {other}? -> {person}
. {person} won the mountain stage to {place} by {few} seconds from {other}.
? Who came second behind {person} on the climb? -> {other}
. A poll puts {person} {few} points ahead of {other} in the race for mayor of {place}.
? Who is the favourite to run {place} as its mayor? -> {person}
? Who trails {person} in the survey? -> {other}
. The council of {place} approved a {plan} for {sum} by {few} votes.
? What will the {plan} cost the taxpayers of {place}? -> {sum}
. Councillor {person} called the {plan} overdue; {other} voted against.
? Who opposed the {plan} that {person} wanted? -> {other}
. Shares in {firm} moved {few} per cent on {day} after quarterly results.
? How far did the stock of {firm} go at the close of trading on {day}? -> {few} per cent
. Analyst {person} expects a profit of {sum} for the year.
? What earnings does {person} foresee? -> {sum}
. The average house in {place} now costs {sum}, up {few} per cent.
? How expensive is a home in {place}? -> {sum}
. The {gadget} of {firm} runs {few} days on one battery and costs {n} dollars.
? What is the price of the {gadget} made by {firm}? -> {n} dollars
. Attackers took {few} million passwords from {firm}, the company said on {day}.
? How many credentials were stolen from {firm}? -> {few} million
. {n} minutes of exercise a week lower blood pressure, a study in {place} finds.
? How much training does the research from {place} recommend? -> {n} minutes
. Chef {person} simmers garlic, butter and thyme before the {dish} goes into the oven.
? What does the cook {person} bake? -> {dish}
. Hotel rooms cost from {n} dollars in the low season, said guide {person}.
? What is the cheapest overnight stay according to {person}? -> {n} dollars
. Forecasters expect gusts of {n} kilometres an hour and heavy rain in {place} on {day}.
? How strong will the wind blow on {day} in {place}? -> {n} kilometres
. The film "{film}" with {person} took {sum} at the box office on its first weekend.
? How much did the movie starring {person} earn when it opened? -> {sum}
. Director {other} shot the film in {place} in {n} days.
? In which town did {other} work behind the camera? -> {place}
. Singer {person} sold out the concert in {place} in {n} minutes.
? How quickly were the tickets for {person} gone? -> {n} minutes
. The probe passed asteroid {n} at a distance of {few} thousand kilometres.
? How close did the spacecraft get to asteroid {n}? -> {few} thousand kilometres
. A court in {place} sentenced {person} to {few} years in prison for a fraud of {sum}.
? How long must {person} stay behind bars? -> {few} years
? How much did {person} steal before the court in {place} spoke? -> {sum}
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
