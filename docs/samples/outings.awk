# Writes how 60 people liked 25 places, 3,000 times: with whom they were there, what it cost, on which device they said so, and when.
#
#   awk -f docs/samples/outings.awk > outings.csv
#
# With children the cheap is liked, with friends the evening; each device belongs to one person.
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    state = 11
    split("children friends parents", words, " ")
    print "user,item,rating,timestamp,companions,price,device"
    for (outing = 0; outing < 3000; outing++) {
        person = 1 + int(60 * random())
        place = 1 + int(25 * random())
        price = int(40 * random())
        hour = 5 * outing + int(5 * random())
        companions = ""
        liking = 2.8 + place % 5 / 5 + random()
        for (word = 1; word <= 3; word++) {
            if (random() > 0.4) continue
            companions = companions (companions == "" ? "" : "|") words[word]
            if (word == 1) liking -= price / 20
            if (word == 2 && hour % 24 >= 18) liking += 1
        }
        liking = liking < 1 ? 1 : liking > 5 ? 5 : liking
        device = person * 5 + int(5 * random())
        printf "person %d,place %d,%.1f,%d,%s,%d,device %d\n", person, place, liking, 1767225600 + 3600 * hour, companions, price, device
    }
}
