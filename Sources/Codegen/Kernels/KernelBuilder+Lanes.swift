import IR

extension KernelBuilder {
  /// A vector of which lane `i` is the lane of the vector that `place(i)` names; all vectors have as many lanes.
  mutating func picking(lanes: Int, from vectors: [Register], _ place: (Int) -> (vector: Int, lane: Int)) -> Register {
    var picked = vectors[0]
    guard vectors.count > 1 else { return picked }
    let type = type(of: picked)
    for number in 1..<vectors.count {
      let positions = (0..<lanes).map { lane in
        let (vector, from) = place(lane)
        if vector == number { return lanes + from }
        // What earlier vectors gave is there already.
        return number == 1 && vector == 0 ? from : lane
      }
      picked = define(type, .shuffle(picked, vectors[number], positions))
    }
    return picked
  }

  /// Elements a fixed step apart, picked from the vectors that hold them; nil where gathering takes less.
  mutating func loadApart(_ memory: Memory, at position: IntegerExpression, lanes: Int) -> Register? {
    let element = elementType(of: memory)
    let width = min(lanes, target.lanes(byteCount: element.byteCount))
    guard target.workGroups == nil, !element.isComplex, element.bitWidth >= 8,
      let step = position.coefficient(ofVariable: -1)?.fixed, (2...Self.longestStep).contains(step),
      width >= 2 * step, lanes % width == 0
    else { return nil }
    let start = position - .lane * step
    guard !variesByLane(start) else { return nil }
    // Nothing behind the last element is read: the last vector ends with it.
    let starts = (0..<step - 1).map { $0 * width } + [(step - 1) * width - (step - 1)]
    var parts = stride(from: 0, to: lanes, by: width).map { first in
      let vectors = starts.map {
        define(RegisterType(element, lanes: width), .load(memory, at: start + (first * step + $0), mask: nil))
      }
      return picking(lanes: width, from: vectors) { lane in
        let vector = lane * step / width
        return (vector, lane * step - starts[vector])
      }
    }
    while parts.count > 1 {
      let count = self.lanes(of: parts[0])
      let type = RegisterType(element, lanes: 2 * count)
      parts = stride(from: 0, to: parts.count, by: 2).map {
        define(type, .shuffle(parts[$0], parts[$0 + 1], Array(0..<2 * count)))
      }
    }
    return parts[0]
  }

  /// Neighbouring elements, the last first; nil where they lie otherwise.
  mutating func loadBackwards(_ memory: Memory, at position: IntegerExpression, lanes: Int, _ mask: Register?)
    -> Register?
  {
    guard target.workGroups == nil, lanes > 1, position.coefficient(ofVariable: -1)?.fixed == -1 else { return nil }
    let last = position + .lane
    guard !variesByLane(last) else { return nil }
    let type = RegisterType(elementType(of: memory), lanes: lanes)
    let backwards = Array((0..<lanes).reversed())
    let turned = mask.map { mask in
      self.lanes(of: mask) == 1
        ? widen(mask, to: lanes) : define(self.type(of: mask), .shuffle(mask, mask, backwards))
    }
    let vector = define(type, .load(memory, at: last - (lanes - 1), mask: turned))
    return define(type, .shuffle(vector, vector, backwards))
  }

  /// So many vectors are read for one at most.
  private static let longestStep = 8

  /// One vector of as many lanes as there are vectors: in each, a vector's lanes combined with an associative function.
  mutating func lanesFolded(_ vectors: [Register], _ function: ScalarFunction) -> Register {
    let lanes = vectors.count
    if lanes == 1 { return vectors[0] }
    let type = type(of: vectors[0])
    // Halves of blocks are combined, and pairs of vectors joined, until a block is one lane. The pairs come out in the order of
    // reversed bits.
    var rest = vectors.indices.map { vectors[Self.bitsReversed($0, of: lanes)] }
    while rest.count > 1 {
      let (block, half) = (rest.count, rest.count / 2)
      let lower = (0..<2 * lanes).filter { $0 % block < half }
      let upper = (0..<2 * lanes).filter { $0 % block >= half }
      rest = (0..<half).map { i in
        let (a, b) = (rest[i], rest[i + half])
        let halves = [define(type, .shuffle(a, b, lower)), define(type, .shuffle(a, b, upper))]
        return apply(function, halves)
      }
    }
    return rest[0]
  }

  private static func bitsReversed(_ number: Int, of count: Int) -> Int {
    var (number, result, bit) = (number, 0, 1)
    while bit < count {
      result = result * 2 + number % 2
      number /= 2
      bit *= 2
    }
    return result
  }

  /// The square of vectors with rows for columns: blocks across the diagonal change places, then the blocks in them.
  mutating func transposed(_ square: [Register]) -> [Register] {
    let side = square.count
    var lines = square
    var half = side / 2
    while half > 0 {
      let upper = (0..<side).map { $0 & half == 0 ? $0 : side + $0 - half }
      let lower = (0..<side).map { $0 & half == 0 ? $0 + half : side + $0 }
      for row in 0..<side where row & half == 0 {
        let (first, second) = (lines[row], lines[row + half])
        lines[row] = define(type(of: first), .shuffle(first, second, upper))
        lines[row + half] = define(type(of: first), .shuffle(first, second, lower))
      }
      half /= 2
    }
    return lines
  }
}
