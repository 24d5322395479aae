# Writes who listened to which band: a line for each play of 400 listeners and 150 bands of five genres.
#
#   awk -f docs/samples/plays.awk > plays.csv
#
# A listener likes one genre, and sometimes hears something else; a few bands of each genre are heard by most who like it.
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    split("jazz folk metal techno opera", genres, " ")
    state = 7
    print "listener,band"
    for (listener = 1; listener <= 400; listener++) {
        liked = 1 + int(5 * random())
        plays = 10 + int(60 * random() ^ 2)
        for (play = 1; play <= plays; play++) {
            genre = random() < 0.85 ? liked : 1 + int(5 * random())
            print "listener " listener "," genres[genre] " " 1 + int(30 * random() ^ 1.8)
        }
    }
}
