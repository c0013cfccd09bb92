"""Chat that states nothing to remember: what stands around a fact, and messages that hold none."""

from __future__ import annotations

OPENERS = (
    "Hi!", "Hey there.", "Morning!", "Good evening.", "Hello again.", "Hey, quick one.", "So, news.", "Guess what!",
    "Hope you're well.", "Long day here.", "Thanks for earlier.", "Sorry for the late reply.", "Just a quick note.",
    "Before I forget:", "For your notes:", "While I think of it:", "One more thing:", "By the way:", "Oh, and:",
    "Not urgent.", "Please remember this.", "Worth writing down:", "Small update:", "Random fact:", "FYI:", "Okay so,",
    "Right, where were we?", "Back from lunch.", "Finally some time to write.", "I keep meaning to tell you this.",
    "You asked me earlier.", "Let me think.", "Hmm, let me see.", "Good question!", "Sure thing.", "Got it, thanks.",
    "That makes sense.", "I was just talking about this.", "This might help you later.", "Can you keep this in mind?",
    "Happy Friday!", "What a morning.", "It's pouring outside.", "I'm on the train right now.", "Typing with one hand.",
    "As promised.", "Following up on yesterday.", "Quick heads-up.", "Listen,", "Funny story.", "Yes, I checked.",
    "No worries at all.", "Thanks again for the help!", "Alright, next point.", "Well,", "Note to self:",
    "I just heard this on the phone.", "Someone mentioned this at lunch.", "I double-checked.", "To be clear:",
    "Fair enough.", "Let's get this out of the way.", "I nearly forgot!", "Ah, right.", "Here's the thing:",
)  # fmt: skip

CLOSERS = (
    "Thanks!", "Cheers.", "Talk soon.", "That's all for now.", "Anyway, back to work.", "Hope that helps.",
    "Let me know if that's unclear.", "Have a nice day!", "See you later.", "Sorry for the long message.",
    "Just so you know.", "Please keep it in mind.", "Wild, isn't it?", "I thought you'd like that.", "Not a big deal.",
    "No need to reply.", "More on that later.", "I'll write again tonight.", "Gotta run.", "Bye for now.",
    "What do you think?", "Does that work for you?", "Isn't that nice?", "Don't forget it, please.", "Ha, who knew.",
    "I still can't believe it.", "Lovely, right?", "Pretty sure about that.", "Make of that what you will.",
    "You can quote me on that.", "Let's talk about it tomorrow.", "I'm so tired today.", "The coffee is getting cold.",
    "My battery is nearly empty.", "Fingers crossed.", "Ping me if anything comes up.", "Good to know, I guess.",
    "Have to go, the doorbell rang.", "Thanks for listening.", "Enjoy your evening!", "lol", ":)", "ok?", "Over.",
    "That's it.", "Back in a minute.", "Sounds good?", "Tell me if you need more.", "I hope you slept well.",
    "Feel free to ignore this.",
)  # fmt: skip

FILLERS = (
    "The weather is awful again.", "I really need a holiday.", "Traffic was terrible this morning.",
    "The coffee machine makes strange noises.", "It was a long week.", "We laughed so much yesterday.",
    "I can't find my glasses anywhere.", "The meeting took forever.", "Everybody was late today.",
    "I had the strangest dream.", "It got dark early.", "The bus never came.", "I should sleep more.",
    "There was cake in the kitchen.", "The music upstairs is too loud.", "What a view from up here!",
    "I'm still waiting for a parcel.", "Somebody left the window open.", "The lift was stuck again.",
    "I love this time of the year.", "We ran out of milk.", "It took me ages to get here.",
    "My head is spinning after that call.", "The film last night was quite long.", "I forgot my umbrella, of course.",
    "This week just flew by.", "There's a strange smell in the hallway.", "I spilled tea on the keyboard.",
    "The birds were loud this morning.", "We should have lunch some time.", "I've been cleaning all day.",
    "The queue was endless.", "Nothing much happened today.", "I finally answered all my mail.",
    "They're digging up the road again.", "The sunset was beautiful.", "I could use a nap.",
    "That joke never gets old.", "My phone keeps ringing.", "We got soaked on the way home.",
    "The printer is jammed again, what a surprise.", "I watched the rain for an hour.", "It smells like snow.",
    "People were singing in the street.", "I need to water the plants later.", "The garden looks a bit sad.",
    "I almost missed the stop.", "They changed the menu in the canteen.", "The wifi was down for a while.",
    "I'm in a good mood today.", "It's quieter than usual.", "The dog next door barked all night.",
    "We talked about everything and nothing.", "I'll try to be brief.", "The slides were far too small to read.",
    "Nobody knew the answer.", "It felt like the longest Monday ever.", "I'm getting hungry.",
    "The heating makes a clicking sound.", "We had a good laugh about it.",
)  # fmt: skip

NO_FACTS = (
    "Can you help me with something?", "What time is it?", "Please summarise this for me.", "Tell me a joke.",
    "How do I boil an egg?", "What's the weather like in {city}?", "Book me a table at {restaurant}, please.",
    "Write a short poem about the sea.", "Could you translate that into {language}?", "Set a timer, please.",
    "I think mornings are overrated.", "Honestly, that was a great film.", "Do you like music?", "Good morning!",
    "Hello, how are you today?", "Thanks a lot, that was helpful.", "See you tomorrow!", "No, that's not what I meant.",
    "Yes, please go ahead.", "Maybe later.", "I'm not sure about that.", "What do you think about {city}?",
    "Can you recommend a book like {book}?", "Is {restaurant} any good?", "How far is it to {city}?",
    "Remind me to call {person}.", "Could you send a message to {person}?", "What does {company} do?",
    "How do you say good night in {language}?", "Open {filename}, please.", "Please check {url} for me.",
    "Why is the sky blue?", "Let's talk about something else.", "That's funny!", "Wow, really?", "Never mind.",
    "Sorry, I didn't get that.", "Can you repeat that more slowly?", "What can you do?", "Who are you?",
    "I'd say it depends.", "That sounds like a lot of work.", "Great, let's do it.", "Please don't do that again.",
    "How much does a ticket to {city} cost?", "Find me a flight to {city}.", "Any ideas for dinner tonight?",
    "What should I cook with {food}?", "Is {food} healthy?", "Which is better, {proglang} or {proglang}?",
    "How do I install {software}?", "Why does {software} crash so often?", "Could someone restart {server}?",
    "Please review my pull request.", "When is lunch?", "Hm, interesting.", "I have no opinion on that.",
    "It was raining the whole time.", "What a game that was!", "Should we take the bus or walk?",
    "I can't decide what to wear.", "Do we still have milk?", "Play something quiet, please.", "Turn off the lights.",
    "Add {food} to the shopping list.", "Did {person} call back?", "Has anyone seen {person} today?",
    "Ask {person} about it.", "Let me know what {person} says.", "Is {person} coming tonight?", "Say hi to {person}!",
    "How was {city}?", "Would you rather learn {instrument} or {language}?", "Can we move the call to another day?",
    "Explain recursion like I'm five.", "Give me three ideas for a birthday present.",
    "What's the capital of {country}?",
    "Happy birthday, {person}!", "Congratulations, {person}!", "Good luck tomorrow!", "Sleep well.",
    "Oh no, not again.",
    "It is what it is.", "Where did I put my keys?", "How many people live in {country}?", "Delete {filename}, please.",
    "Compare {database} and {database} for me.", "Draft an email to {person}, please.", "Can you proofread this?",
    "What's on at the cinema?", "I wonder what {film} is about.", "Have you ever heard of {band}?",
    "People say {city} is lovely in spring.", "Everyone keeps talking about {company} these days.",
    "Is there a pharmacy near {street}?", "What rhymes with orange?", "Could you check the schedule for {weekday}?",
    "Shall we meet on {weekday}?", "Are you free at {time}?", "Cancel that, please.", "Try again, please.",
)  # fmt: skip
"""Messages with no fact; the slots are kinds of `memory_jobs.values`. Every eighth is kept for evaluation."""

CHAT = (
    ("Hello!", "Hello! How can I help?"),
    ("Hi there", "Hi! What can I do for you?"),
    ("Hey, how are you?", "I'm well, thank you. How can I help?"),
    ("How are you today?", "I'm fine, thanks. And you?"),
    ("Good morning!", "Good morning! How can I help?"),
    ("Good evening.", "Good evening! What can I do for you?"),
    ("Thanks!", "You're welcome!"),
    ("Thank you so much.", "You're welcome!"),
    ("Thanks for your help.", "Glad I could help."),
    ("Great, that's perfect.", "Glad to hear it."),
    ("Bye!", "Goodbye!"),
    ("See you tomorrow.", "See you tomorrow!"),
    ("Good night.", "Good night!"),
    ("Nice to meet you.", "Nice to meet you too!"),
    ("Sorry about that.", "No problem."),
    ("Who are you?", "I'm a small memory assistant. I remember what you tell me."),
    ("What can you do?", "I remember facts from our chats and answer questions about them."),
    ("Have a nice day!", "Thank you, you too!"),
    ("Never mind.", "All right."),
    ("You're great.", "Thank you, that's kind."),
)

ACKNOWLEDGEMENTS = (
    "Noted.", "Got it, thanks.", "Thanks, I'll remember that.", "I'll keep that in mind.", "Good to know.",
    "All right, noted.", "Thanks for telling me.", "Understood.",
)  # fmt: skip
"""What is said to a statement that somebody wants remembered."""

CASUAL = (
    "hey, ", "quick one: ", "do you remember: ", "btw ", "hi, ", "ok so ", "quick question: ", "sorry, ", "um, ",
    "just checking, ", "tell me, ", "hm, ", "and ", "one more: ", "please, ", "so ",
)  # fmt: skip
