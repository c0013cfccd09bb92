"""Questions with statements that answer them, on as many topics.

With any embedding model, the cosine of the two is what related texts have, and that of a question with another's
statement what unrelated texts have."""

from __future__ import annotations

PAIRS: tuple[tuple[str, str], ...] = (
    ("Where does Marta live now?", "Marta moved to a small flat in Utrecht last spring."),
    ("What does Jonas eat for breakfast?", "Jonas has oat porridge with cinnamon every morning."),
    ("When is the dentist appointment?", "The dentist can see me on Thursday at half past nine."),
    ("Who is leading the migration project?", "Priya took over the database migration from Tom."),
    ("Which instrument does Lea play?", "Lea has been practising the cello for six years."),
    ("How did the marathon go?", "I finished the city run in just under four hours."),
    ("What is the dog called?", "We named our new puppy Biscuit."),
    ("Is anybody allergic to nuts?", "My nephew gets a rash from peanuts and almonds."),
    ("What book is Sam reading?", "Sam is halfway through a novel about lighthouse keepers."),
    ("Why was the flight late?", "Fog at the airport kept the plane on the ground for two hours."),
    ("What did grandmother teach me to bake?", "Granny showed me how to make plum cake."),
    ("Which bank holds the mortgage?", "The loan for the house is with the savings bank in town."),
    ("What is wrong with the car?", "The garage says that the brake pads have to be replaced."),
    ("Where did they spend the honeymoon?", "After the wedding the two of them travelled through Iceland."),
    ("Which language is she learning?", "She takes Japanese lessons on Tuesday evenings."),
    ("How much does the gym cost?", "The membership at the fitness studio is thirty euros a month."),
    ("What colour is the kitchen going to be?", "We chose a pale green paint for the cupboards and walls."),
    ("Who won the chess tournament?", "Old Mr Petrov beat everyone and took the chess trophy home."),
    ("What medicine does father take?", "Dad was prescribed pills for his high blood pressure."),
    ("Which city hosts the conference?", "This year the developers all meet in Lyon."),
    ("What did the landlord say about the heating?", "The owner promised to send a plumber for the cold radiators."),
    ("Do they have children?", "They have twin daughters, who start school in September."),
    ("What is the wifi password?", "To get on the internet here, type sunflower42."),
    ("Which film did you see yesterday?", "Last night we watched a documentary about whales at the cinema."),
)
