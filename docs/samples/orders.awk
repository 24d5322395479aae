# Writes what 400 customers of a shop bought in two years: a line for each product of an order.
#
#   awk -f docs/samples/orders.awk > orders.csv
#
# A customer likes one of four departments, and is a regular, who orders often and much, or not. Products of a department come in
# sets of three, which are often bought together. The garden is for spring and summer, gifts are for November and December.
function random() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

BEGIN {
    split("kitchen garden office gifts", departments, " ")
    split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
    state = 11
    print "order,customer,product,date,quantity,price"
    for (customer = 1; customer <= 400; customer++) {
        liked = 1 + int(4 * random())
        regular = random() < 0.25
        orders = regular ? 8 + int(8 * random()) : 1 + int(3 * random())
        for (i = 1; i <= orders; i++) {
            do {
                month = 1 + int(12 * random())
                season = liked == 2 ? (month >= 4 && month <= 8) : liked == 4 ? (month >= 11) : 1
            } while (!season && random() < 0.8)
            date = sprintf("%d-%02d-%02d", 2010 + int(2 * random()), month, 1 + int(days[month] * random()))
            number++
            for (set = 0; set < 1 + int(3 * random()); set++) {
                department = random() < 0.85 ? liked : 1 + int(4 * random())
                first = 1 + 3 * int(12 * random() ^ 1.4)
                for (product = first; product < first + 3; product++) {
                    if (random() < 0.6) {
                        quantity = (regular ? 2 : 1) + int(3 * random())
                        printf "%d,customer %d,%s %d,%s,%d,%.2f\n", number, customer, departments[department], product,
                            date, quantity, 2 + product / 4
                        if (random() < 0.02) {
                            printf "%d,customer %d,%s %d,%s,%d,%.2f\n", number, customer, departments[department], product,
                                date, -quantity, 2 + product / 4
                        }
                    }
                }
            }
        }
    }
}
