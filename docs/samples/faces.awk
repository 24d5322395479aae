# Draws ten pictures of each of twelve people, 32 × 40 pixels, into the folders faces/1 … faces/12.
#
#   awk -f docs/samples/faces.awk
#
# People differ in the shape of face, hair, eyes, brows and nose; the pictures of a person in mouth, brows, gaze and light.
function spread(person, trait, low, high) {
    # The fractional parts of multiples of an irrational number are spread evenly.
    seed = person * 0.6180339887 * trait + trait * 0.7548776662
    return low + (high - low) * (seed - int(seed))
}

# 1 inside an ellipse, 0 outside, with a soft edge.
function blob(x, y, left, top, width, height, softness,    d) {
    d = sqrt(((x - left) / width) ^ 2 + ((y - top) / height) ^ 2)
    return 1 / (1 + exp((d - 1) * softness))
}

function over(value, cover, paint) {
    return value + cover * (paint - value)
}

function draw(person, number, file,    x, y, side, value, light, smile, raise, gaze) {
    width = spread(person, 1, 9.5, 12.5); skin = spread(person, 2, 140, 205)
    apart = spread(person, 3, 4, 5.8); hair = spread(person, 4, 20, 150)
    fringe = spread(person, 5, 6, 13); nose = spread(person, 6, 2.5, 5)
    brow = spread(person, 7, -0.3, 0.3); lips = spread(person, 8, 3, 5.2)
    beard = spread(person, 9, -0.6, 0.6)
    smile = 0.1 * ((number * 3) % 10 - 4); raise = (number * 7) % 10 / 5 - 1
    gaze = (number * 9) % 4 / 2 - 0.75; light = (number * 4) % 7 / 3 - 1
    print "P2 32 40 255" > file
    for (y = 0; y < 40; y++) {
        for (x = 0; x < 32; x++) {
            value = 225 - y
            value = over(value, blob(x, y, 15.5, 17, width + 2, 17, 14), hair)
            value = over(value, blob(x, y, 15.5, 21, width, 16, 16) * (1 / (1 + exp(2 * (fringe - y)))), skin + 2.2 * light * (x - 15.5))
            if (beard > 0) value = over(value, beard * blob(x, y, 15.5, 34, 7, 6, 6), hair)
            for (side = -1; side <= 1; side += 2) {
                value = over(value, blob(x, y, 15.5 + side * apart, 19, 2.6, 1.7, 6), 240)
                value = over(value, blob(x, y, 15.5 + side * apart + gaze, 19, 1.1, 1.3, 6), 15)
                value = over(value, blob(x, y, 15.5 + side * apart, 15.5 - raise + brow * side * (x - 15.5 - side * apart), 3, 0.7, 5), hair * 0.8)
            }
            value = over(value, 0.5 * blob(x, y, 15.9, 22 + nose / 2, 1, nose / 2, 5), skin * 0.6)
            value = over(value, blob(x, y, 15.5, 31 - smile * ((x - 15.5) ^ 2 / 5 - 1.5), lips, 0.9, 6), 70)
            value = value < 0 ? 0 : value > 255 ? 255 : value
            printf "%d%s", value, x < 31 ? " " : "\n" > file
        }
    }
    close(file)
}

BEGIN {
    for (person = 1; person <= 12; person++) {
        system("mkdir -p faces/" person)
        for (number = 1; number <= 10; number++) draw(person, number, "faces/" person "/" number ".pgm")
    }
}
