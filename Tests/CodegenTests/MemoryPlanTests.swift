import IR
import Testing

@testable import Codegen

@Suite struct MemoryPlanTests {
  /// Blocks as programs have them: most live for a few steps, some for long.
  private static func blocks(_ random: inout SplitMix, count: Int, sizes: Int) -> [ArenaPacking.Block] {
    (0..<count).map { step in
      let isLong = Int.random(in: 0..<8, using: &random) == 0
      let length = Int.random(in: 0..<(isLong ? count : 4), using: &random)
      let size = Int.random(in: 0...sizes, using: &random) * Int.random(in: 1...16, using: &random) * 64
      return ArenaPacking.Block(size: size, lifetime: step...step + length)
    }
  }

  private static func overlap(_ blocks: [ArenaPacking.Block], _ offsets: [Int]) -> Bool {
    blocks.indices.contains { a in
      blocks.indices.contains { b in
        a < b && blocks[a].size > 0 && blocks[b].size > 0 && blocks[a].lifetime.overlaps(blocks[b].lifetime)
          && offsets[a] < offsets[b] + blocks[b].size && offsets[b] < offsets[a] + blocks[a].size
      }
    }
  }

  @Test(arguments: 0..<40) func blocksThatLiveTogetherLieApart(seed: UInt64) {
    var random = SplitMix(state: seed)
    let packing = ArenaPacking(Self.blocks(&random, count: Int(seed) * 3, sizes: 1 + Int(seed % 7)))
    let best = packing.best()
    #expect(!Self.overlap(packing.blocks, best.offsets))
    #expect(best.byteCount >= packing.lowerBound)
    #expect(Double(best.byteCount) <= 1.1 * Double(packing.lowerBound), "\(best.byteCount) of \(packing.lowerBound)")
    for arrangement in packing.arrangements { #expect(!Self.overlap(packing.blocks, arrangement.offsets)) }
  }

  /// So many that all pairs of them cannot be looked at, and a few more.
  @Test(arguments: [[Int](1...4000), Array(repeating: 3, count: 4000), (0..<4000).map { $0 * 37 % 101 }])
  func blocksThatAllLiveTogetherLieApart(sizes: [Int]) {
    let blocks = sizes.enumerated().map { step, size in
      ArenaPacking.Block(size: size * 64, lifetime: step...2 * sizes.count - step)
    }
    let packing = ArenaPacking(blocks)
    let best = packing.best()
    #expect(best.byteCount == packing.lowerBound)
    let places = zip(best.offsets, blocks).filter { $1.size > 0 }.map { $0..<$0 + $1.size }
    let inOrder = places.sorted { $0.lowerBound < $1.lowerBound }
    #expect(zip(inOrder, inOrder.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
    #expect(packing.arrangements == [best])
  }

  /// Blocks that come and go among many that stay fill the gaps that are left.
  @Test func gapsAreFilled() {
    let stay = (0..<3000).map { ArenaPacking.Block(size: 64, lifetime: 2 * $0...20_000) }
    let go = (0..<3000).map { ArenaPacking.Block(size: 64 + $0 % 3 * 64, lifetime: 2 * $0 + 1...2 * $0 + 3) }
    let packing = ArenaPacking(stay + go)
    let best = packing.best()
    #expect(!Self.overlap(packing.blocks.suffix(3000), best.offsets.suffix(3000)))
    #expect(best.byteCount < 3000 * 64 + 64 * 64)
  }

  /// A packing for some sizes is one for all: blocks keep their order.
  @Test(arguments: 0..<20) func stacksHoldOtherSizes(seed: UInt64) {
    var random = SplitMix(state: seed)
    let packing = ArenaPacking(Self.blocks(&random, count: 40, sizes: 5))
    let stack = ArenaStack(packing.blocks, offsets: packing.best().offsets)
    let sizes = packing.blocks.map { _ in Int.random(in: 0...9, using: &random) * 64 }
    let offsets = stack.offsets(of: sizes.map { Extent($0) }).compactMap(\.fixed)
    let other = zip(packing.blocks, sizes).map { ArenaPacking.Block(size: $1, lifetime: $0.lifetime) }
    #expect(!Self.overlap(other, offsets))
    #expect(zip(offsets, sizes).map { $0 + $1 }.max() == stack.byteCount(for: sizes))
  }

  /// Steps that each write one buffer, which is read `distance` steps later.
  private static func steps(_ distances: [Int]) -> [Program.Step] {
    distances.indices.map { step in
      let read = distances.indices.filter { $0 < step && $0 + distances[$0] == step }
      return .launch(Program.Launch(kernel: 0, buffers: (read + [step]).map { BufferID($0) }))
    }
  }

  @Test(arguments: 0..<30) func symbolicBuffersThatLiveTogetherLieApart(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let (n, m) = (Extent.symbol("n"), Extent.symbol("m"))
    let shapes: [[Extent]] = [[n, m], [n], [n, 16], [n, m, m], [m, 3], [n + 1, 5], [7, 11], [m + m, n], [1]]
    let types = (0..<25).map { _ in
      TensorType(.f32, shapes[Int.random(in: 0..<shapes.count, using: &random)])
    }
    let distances = types.map { _ in Int.random(in: 0..<6, using: &random) }
    let steps = Self.steps(distances)
    let plan = MemoryPlan(
      steps: steps, buffers: types.map { DraftBuffer(type: $0, place: .arena(sharing: nil)) })
    let lifetimes = BufferLifetimes(steps: steps, roots: Array(types.indices)).lifetimes
    for (first, second) in [(0, 0), (1, 1), (3, 5), (1, 200), (200, 1), (16, 512)] {
      func value(_ extent: Extent) throws -> Int {
        try #require(
          extent.evaluated { atom in
            guard case .symbol(let symbol) = atom else { return nil }
            return symbol == Symbol("n") ? first : second
          })
      }
      var blocks: [ArenaPacking.Block] = []
      var offsets: [Int] = []
      for (buffer, lifetime) in zip(plan.placed, lifetimes) {
        guard case .arena(let offset) = buffer.place else { continue }
        blocks.append(
          ArenaPacking.Block(size: try value(buffer.type.byteCount), lifetime: try #require(lifetime)))
        offsets.append(try value(offset))
        #expect(try value(offset) % Program.alignment == 0)
      }
      #expect(!Self.overlap(blocks, offsets))
      let end = zip(blocks, offsets).map { $1 + $0.size }.max() ?? 0
      #expect(try value(plan.byteCount) >= end)
    }
  }

  @Test func buffersThatShareTheirBytesHaveOnePlace() {
    let type = TensorType(.f32, [.symbol("n"), 4])
    let buffers = [
      DraftBuffer(type: type, place: .arena(sharing: nil)), DraftBuffer(type: type, place: .arena(sharing: nil)),
      DraftBuffer(type: type, place: .arena(sharing: BufferID(0))),
    ]
    let steps: [[Int]] = [[0], [0, 1], [0, 1, 2], [1, 2]]
    let plan = MemoryPlan(
      steps: steps.map { .launch(Program.Launch(kernel: 0, buffers: $0.map { BufferID($0) })) }, buffers: buffers)
    let placed = plan.placed
    #expect(placed[0].place == placed[2].place)
    #expect(placed[0].place != placed[1].place)
    let two = Extent(2) * (Extent.symbol("n").scaledToAlignment)
    #expect(plan.byteCount == two)
  }

  /// A loop's own buffers may share places with each other, not with what the loop reads in each iteration.
  @Test func whatALoopReadsLivesThroughIt() {
    let type = TensorType(.f32, fixed: [16])
    let buffers = (0..<4).map { _ in DraftBuffer(type: type, place: .arena(sharing: nil)) }
    func launch(_ buffers: Int...) -> Program.Step {
      .launch(Program.Launch(kernel: 0, buffers: buffers.map { BufferID($0) }))
    }
    let loop = Program.Step.loop(condition: [], predicate: BufferID(1), body: [launch(0, 2), launch(3, 1)])
    let steps = [launch(0), launch(1), loop]
    let placed = MemoryPlan(steps: steps, buffers: buffers).placed.map(\.place)
    #expect(Set(placed).count == 3)
    #expect(placed[2] == placed[3])
  }

  /// A loop's state that nothing reads after the loop lies where it begins, and is read in each iteration.
  @Test func stateThatBeginsInAnotherBufferLivesThroughTheLoop() {
    let type = TensorType(.f32, fixed: [16])
    let buffers = [nil, nil, nil, BufferID(0)].map { DraftBuffer(type: type, place: .arena(sharing: $0)) }
    func launch(_ buffers: Int...) -> Program.Step {
      .launch(Program.Launch(kernel: 0, buffers: buffers.map { BufferID($0) }))
    }
    let loop = Program.Step.loop(condition: [], predicate: BufferID(1), body: [launch(3), launch(2), launch(1)])
    let placed = MemoryPlan(steps: [launch(0), launch(1), loop], buffers: buffers).placed.map(\.place)
    #expect(placed[0] == placed[3])
    #expect(placed[2] != placed[0])
  }
}

extension SplitMix: RandomNumberGenerator {}

extension Extent {
  /// The bytes of `4 * self` f32 elements, as the arena counts them.
  fileprivate var scaledToAlignment: Extent { (self * 16 + 63).floorDivided(by: 64) * 64 }
}
