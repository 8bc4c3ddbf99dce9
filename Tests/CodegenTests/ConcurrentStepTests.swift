import CodegenLLVM
import IR
import Passes
import Testing

@testable import Codegen

/// Which steps run side by side, and that no step sees it.
@Suite struct ConcurrentStepTests {
  // MARK: Random steps

  /// A kernel that reads and writes so many buffers.
  private static func kernel(reads: Int, writes: Int, tasks: Int, cost: Int) -> Kernel {
    var builder = KernelBuilder(
      target: Target(cpu: "none", vectorByteCount: 64, vectorRegisterCount: 32, hasMultiplyAdd: true))
    for _ in 0..<reads { _ = builder.addBuffer("x", .f32, isWritten: false) }
    for _ in 0..<writes { _ = builder.addBuffer("y", .f32, isWritten: true) }
    return builder.kernel(name: "k", sources: [], taskCount: Extent(tasks), taskCost: Extent(cost))
  }

  /// Launches of all sizes that read some of a few buffers and write others; two in three buffers share their memory.
  private static func steps(_ random: inout SplitMix, count: Int) -> (steps: [Program.Step], kernels: [Kernel]) {
    var (steps, kernels): ([Program.Step], [Kernel]) = ([], [])
    func buffer() -> BufferID { BufferID(Int.random(in: 0..<30, using: &random)) }
    for _ in 0..<count {
      let (reads, writes) = (Int.random(in: 0...2, using: &random), Int.random(in: 1...2, using: &random))
      let tasks = [1, 1, 2, 64][Int.random(in: 0..<4, using: &random)]
      let cost = [10, 5_000, 60_000, 900_000][Int.random(in: 0..<4, using: &random)]
      kernels.append(kernel(reads: reads, writes: writes, tasks: tasks, cost: cost))
      let launch = Program.Launch(kernel: kernels.count - 1, buffers: (0..<reads + writes).map { _ in buffer() })
      switch Int.random(in: 0..<8, using: &random) {
      case 0: steps.append(.copy(from: buffer(), to: buffer()))
      case 1: steps.append(.loop(condition: [], predicate: buffer(), body: [.launch(launch)]))
      case 2: steps.append(.branch(index: buffer(), branches: [[.launch(launch)], []]))
      default: steps.append(.launch(launch))
      }
    }
    return (steps, kernels)
  }

  private static func memory(_ buffer: BufferID) -> BufferID {
    BufferID(buffer.index / 3 * 2 + min(1, buffer.index % 3))
  }

  /// Of each step the moment it may begin and the one it has ended at, in moments that lists of a group share.
  private static func moments(_ steps: [Program.Step]) -> [(step: Program.Step, group: Int, list: Int, position: Int)] {
    var all: [(step: Program.Step, group: Int, list: Int, position: Int)] = []
    for (group, step) in steps.enumerated() {
      guard case .concurrent(let lists) = step else {
        all.append((step, group, 0, 0))
        continue
      }
      for (number, list) in lists.enumerated() {
        for (position, step) in list.enumerated() { all.append((step, group, number, position)) }
      }
    }
    return all
  }

  @Test(arguments: 0..<200) func dependentStepsStayInOrder(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let (steps, kernels) = Self.steps(&random, count: Int(seed) + 1)
    let found = ConcurrentSteps(steps, kernels, byteCount: { _ in 64 }, bytes: Self.memory).steps
    let placed = Self.moments(found)
    #expect(placed.count == steps.count)
    // Steps may be equal; then their order among each other is the same before and after.
    var places: [Program.Step: [Int]] = [:]
    for (index, entry) in placed.enumerated() { places[entry.step, default: []].append(index) }
    let order = try steps.map { step in
      var list = try #require(places[step])
      let first = list.removeFirst()
      places[step] = list
      return first
    }
    func accesses(_ step: Program.Step) -> [BufferID: Bool] {
      var all: [BufferID: Bool] = [:]
      step.forEachAccess(in: kernels) {
        all[Self.memory($0), default: false] = all[Self.memory($0), default: false] || $1
      }
      return all
    }
    let touched = steps.map(accesses)
    var wrong: [(Int, Int)] = []
    for later in steps.indices {
      for earlier in steps[..<later].indices {
        let conflicts = touched[later].contains { bytes, isWritten in
          touched[earlier][bytes].map { $0 || isWritten } ?? false
        }
        let (a, b) = (placed[order[earlier]], placed[order[later]])
        let isBefore = a.group < b.group || (a.group == b.group && a.list == b.list && a.position < b.position)
        if conflicts && !isBefore { wrong.append((earlier, later)) }
      }
    }
    #expect(wrong.isEmpty)
    for case .concurrent(let lists) in found { #expect(lists.count > 1 && lists.allSatisfy { !$0.isEmpty }) }
  }

  @Test func manyOfThemAreFound() {
    let groups = (0..<200 as Range<UInt64>).map { seed in
      var random = SplitMix(state: seed)
      let (steps, kernels) = Self.steps(&random, count: 60)
      let found = ConcurrentSteps(steps, kernels, byteCount: { _ in 64 }, bytes: Self.memory).steps
      return found.count { if case .concurrent = $0 { true } else { false } }
    }
    #expect(groups.reduce(0, +) > 200)
  }

  // MARK: Graphs

  private func program(_ text: String) throws -> (Function, Program) {
    let module = try Module(parsing: text)
    let function = try PassPipeline().run(try #require(module.entry), in: module).function
    return (try #require(module.entry), try Program(function, target: LLVMCompiler(cpu: "x86-64-v3").target))
  }

  private func firstLists(of program: Program) -> [[Program.Step]]? {
    for case .concurrent(let lists) in program.steps { return lists }
    return nil
  }

  /// `rounds` times `v = tanh(v * w)`, a loop named by its suffix.
  private func loop(_ suffix: String, _ state: String, rounds: String) -> String {
    """
      %r\(suffix):2 = stablehlo.while(%i = %zero, %v = \(state)) : tensor<i32>, tensor<3x160xf32>
      cond {
        %c = stablehlo.compare LT, %i, \(rounds) : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %c : tensor<i1>
      } do {
        %one = stablehlo.constant dense<1> : tensor<i32>
        %next = stablehlo.add %i, %one : tensor<i32>
        %p = stablehlo.dot_general %v, %w, contracting_dims = [1] x [0] : (tensor<3x160xf32>, tensor<160x160xf32>) -> tensor<3x160xf32>
        %t = stablehlo.tanh %p : tensor<3x160xf32>
        stablehlo.return %next, %t : tensor<i32>, tensor<3x160xf32>
      }
    """
  }

  private func main(_ body: String, _ result: String) -> String {
    """
    func.func @main(%x: tensor<3x160xf32>, %y: tensor<3x160xf32>, %w: tensor<160x160xf32>, %m: tensor<i32>, %n: tensor<i32>) -> tensor<3x160xf32> {
      %zero = stablehlo.constant dense<0> : tensor<i32>
      \(body)
      %s = stablehlo.add \(result) : tensor<3x160xf32>
      return %s : tensor<3x160xf32>
    }
    """
  }

  @Test func independentLoopsRunSideBySide() throws {
    let body = loop("a", "%x", rounds: "%m") + "\n" + loop("b", "%y", rounds: "%n")
    let (function, program) = try program(main(body, "%ra#1, %rb#1"))
    let lists = try #require(firstLists(of: program))
    #expect(lists.count == 2)
    let x = Literal(.f32, [3, 160], (0..<480).map { .real(Double($0 % 13) / 8) })
    let y = Literal(.f32, [3, 160], (0..<480).map { .real(Double($0 % 17) / 16 - 0.5) })
    let w = Literal(.f32, [160, 160], (0..<25600).map { .real(Double($0 % 7) / 64 - 0.05) })
    for (m, n) in [(0, 3), (2, 0), (3, 5)] {
      let counts = [m, n].map { Literal.scalar(.integer(Int64($0)), .i32) }
      let expected = try function.graph.evaluate([x, y, w] + counts, in: EvaluationContext())
      let library = try CompiledProgram(program, LLVMCompiler(cpu: "x86-64-v3"))
      let found = try library.run(program, [x, y, w] + counts, symbols: [])
      for position in 0..<480 {
        #expect((found[0][position].realValue - expected[0][position].realValue).magnitude < 1e-5)
      }
    }
  }

  /// What one list writes in the arena is not where another one reads or writes.
  @Test func listsHaveMemoryOfTheirOwn() throws {
    let body = loop("a", "%x", rounds: "%m") + "\n" + loop("b", "%y", rounds: "%n")
    let (_, program) = try program(main(body, "%ra#1, %rb#1"))
    let lists = try #require(firstLists(of: program))
    let uses = lists.map { list in
      var uses: [(range: Range<Int>, isWritten: Bool)] = []
      for step in list {
        step.forEachAccess(in: program.kernels) { buffer, isWritten in
          let known = program.buffers[buffer.index]
          guard case .arena(let offset) = known.place, let start = offset.fixed else { return }
          uses.append((start..<start + (known.type.byteCount.fixed ?? 0), isWritten))
        }
      }
      return uses
    }
    for one in uses[0] {
      for other in uses[1] where one.isWritten || other.isWritten { #expect(!one.range.overlaps(other.range)) }
    }
    #expect(uses[0].contains(where: \.isWritten) && uses[1].contains(where: \.isWritten))
  }

  @Test func aLoopThatNeedsAnotherWaitsForIt() throws {
    let body = loop("a", "%x", rounds: "%m") + "\n" + loop("b", "%ra#1", rounds: "%n")
    #expect(try firstLists(of: program(main(body, "%ra#1, %rb#1")).1) == nil)
  }

  @Test func whatIsSmallIsNotWorthAThread() throws {
    let body = """
      %p = stablehlo.tanh %x : tensor<3x160xf32>
      %a = stablehlo.dot_general %p, %w, contracting_dims = [1] x [0] : (tensor<3x160xf32>, tensor<160x160xf32>) -> tensor<3x160xf32>
      %b = stablehlo.dot_general %y, %w, contracting_dims = [1] x [0] : (tensor<3x160xf32>, tensor<160x160xf32>) -> tensor<3x160xf32>
      """
    #expect(try firstLists(of: program(main(body, "%a, %b")).1) == nil)
  }
}
