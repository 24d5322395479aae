# Writes which offers were clicked: 12,000 showings of 40 offers to 300 people, by the hour of the day and the device.
#
#   awk -f docs/samples/clicks.awk > clicks.csv
#
# Offers are for breakfast, work or the evening, and each person likes some of them more than others; on a phone all are clicked
# less at work.
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    split("morning midday evening", hours, " ")
    split("coffee office cinema", kinds, " ")
    state = 11
    for (person = 1; person <= 300; person++) for (kind = 1; kind <= 3; kind++) liking[person, kind] = 2.4 * random() - 1.2
    print "user,item,clicked,hour,device"
    for (showing = 1; showing <= 12000; showing++) {
        person = 1 + int(300 * random())
        kind = 1 + int(3 * random())
        hour = 1 + int(3 * random())
        phone = random() < 0.5
        score = -1.2 + liking[person, kind] + (kind == hour ? 2 : -0.5) - (phone && hour == 2 ? 1 : 0)
        clicked = random() < 1 / (1 + exp(-score))
        print "person " person "," kinds[kind] " " 1 + int(13 * random()) "," clicked "," hours[hour] "," (phone ? "phone" : "desk")
    }
}
