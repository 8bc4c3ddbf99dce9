import IR
import Testing

@testable import Codegen
@testable import Driver

/// Where results lie, and which copies are made.
@Suite struct MemoryTests {
  private func program(_ text: String) throws -> Program {
    let fixture = try Fixture()
    let path = try fixture.write(text, "graph.mlir")
    let pipeline = try Pipeline(Options())
    var times = StageTimes()
    let source = try pipeline.source(path)
    return try pipeline.programs(try pipeline.optimized(source, pipeline.passes, &times), ExtentNeeds(), path).first
  }

  private func copyCount(_ steps: [Program.Step]) -> Int {
    var count = 0
    for step in steps {
      step.forEachLeaf { leaf in
        if case .copy = leaf { count += 1 }
      }
    }
    return count
  }

  @Test func aSliceIsWrittenIntoAValueThatNobodyReadsLater() throws {
    let text = """
      func.func @main(%x: tensor<128x128xf32>, %i: tensor<i32>, %u: tensor<1x128xf32>) -> tensor<128x128xf32> {
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %s = "stablehlo.sort"(%x) <{dimension = 1 : i64}> ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
          stablehlo.return %c : tensor<i1>
        }) : (tensor<128x128xf32>) -> tensor<128x128xf32>
        %n = stablehlo.dynamic_update_slice %s, %u, %i, %zero : (tensor<128x128xf32>, tensor<1x128xf32>, tensor<i32>, tensor<i32>) -> tensor<128x128xf32>
        %r = "stablehlo.sort"(%n) <{dimension = 0 : i64}> ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %c = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
          stablehlo.return %c : tensor<i1>
        }) : (tensor<128x128xf32>) -> tensor<128x128xf32>
        return %r : tensor<128x128xf32>
      }
      """
    let program = try program(text)
    let square = TensorType(.f32, fixed: [128, 128])
    let update = try #require(program.kernels.firstIndex { $0.name == "dynamic_update_slice" })
    let launch = try #require(
      program.steps.compactMap { step in
        if case .launch(let launch) = step { return launch.kernel == update ? launch : nil }
        return nil
      }.first)
    // The kernel has the slice, its place and what it writes; the operand is not read.
    #expect(launch.buffers.count(where: { program.buffers[$0.index].type == square }) == 1)
    #expect(copyCount(program.steps) == 0)
  }

  @Test func aParameterThatIsGivenAwayIsUpdatedWithoutACopy() throws {
    let text = """
      func.func @main(%p: tensor<37x5xf32> {tf.aliasing_output = 0 : i32}, %g: tensor<37x5xf32>, %rate: tensor<f32>) -> (tensor<37x5xf32>, tensor<37x37xf32>) {
        %r = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<37x5xf32>
        %s = stablehlo.multiply %r, %g : tensor<37x5xf32>
        %n = stablehlo.subtract %p, %s : tensor<37x5xf32>
        %q = stablehlo.dot_general %p, %p, contracting_dims = [1] x [1] : (tensor<37x5xf32>, tensor<37x5xf32>) -> tensor<37x37xf32>
        return %n, %q : tensor<37x5xf32>, tensor<37x37xf32>
      }
      """
    let program = try program(text)
    #expect(program.aliases == [0, nil])
    #expect(copyCount(program.steps) == 0)
  }

  @Test func aLoopBeginsInWhatItIsGiven() throws {
    let text = """
      func.func @main(%n: tensor<i32>, %x: tensor<64x64xf32>) -> tensor<64xf32> {
        %z = stablehlo.constant dense<0.0> : tensor<f32>
        %zero = stablehlo.constant dense<0> : tensor<i32>
        %one = stablehlo.constant dense<1> : tensor<i32>
        %d = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
        %r:2 = stablehlo.while(%i = %zero, %s = %d) : tensor<i32>, tensor<64x64xf32>
          cond {
            %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %c : tensor<i1>
          } do {
            %j = stablehlo.add %i, %one : tensor<i32>
            %t = stablehlo.multiply %s, %x : tensor<64x64xf32>
            stablehlo.return %j, %t : tensor<i32>, tensor<64x64xf32>
          }
        %f = stablehlo.reduce(%r#1 init: %z) applies stablehlo.add across dimensions = [1] : (tensor<64x64xf32>, tensor<f32>) -> tensor<64xf32>
        return %f : tensor<64xf32>
      }
      """
    let program = try program(text)
    // The counter begins in a constant; the product is the loop's state at once.
    #expect(copyCount(program.steps) == 1)
    let square = TensorType(.f32, fixed: [64, 64])
    let places = program.buffers.filter { buffer in
      if case .arena = buffer.place { return buffer.type == square }
      return false
    }.map(\.place)
    #expect(places.count >= 2)
    #expect(Set(places).count == 1)
  }

  @Test func theLeastArenaIsWhatLivesAtOneTime() throws {
    let fixture = try Fixture()
    let path = try fixture.write(Fixture.layer, "layer.mlir")
    let inspection = try Inspection(path, Options(), listsLaunches: true)
    let memory = try #require(inspection.memory)
    let (arena, least) = (try #require(Int(memory.arenaBytes)), try #require(Int(memory.leastArenaBytes)))
    #expect(least <= arena)
    #expect(Double(arena) <= 1.1 * Double(least))
  }
}
