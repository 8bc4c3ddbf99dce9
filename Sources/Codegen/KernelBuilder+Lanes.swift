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

  /// So many vectors are read for one at most.
  private static let longestStep = 8
}
