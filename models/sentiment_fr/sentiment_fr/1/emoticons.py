"""Faces of punctuation and what they say, in −1 to 1.

The table is that of pattern (BSD, Tom De Smedt), which textblob-fr copies. Faces of letters alone
are left out, since its rule never counts them. So is "8)", which ends many a reference to a page.
"""

FACES = {
    1.0: "<3 ♥ >:d :-d :d =-d =d 8-d",
    0.75: ">:p :-p :p :-b :b :c) :o) :^)",
    0.5: ">:) :-) :) =) =] :] :} :> :3 8-)",
    0.25: ">;] ;-) ;) ;-] ;] ;d ;^) *-) *)",
    0.05: ">:o :-o :o o_o o.o °o°",
    -0.25: ">:/ :-/ :/ :\\ >:\\ :-. :-s :s >.>",
    -0.75: ">:[ :-( :( =( :-[ :[ :{ :-< :c :-c =/",
    -1.0: ":'( :'''( ;'(",
}

EMOTICONS = {face: polarity for polarity, faces in FACES.items() for face in faces.split()}
"""Polarity of each face, in lower case."""
