// pass: canonicalize, merge-siblings, canonicalize, fusion
func.func @main(%x: tensor<2x5x4xf32>) -> tensor<2x2x5x3xf32> {
  %a = stablehlo.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3.0, 2.0, 3.0, 4.0, 5.0, 6.0], [4.0, 2.0, 3.0, 4.0, 5.0, 6.0]]> : tensor<4x6xf32>
  %b = stablehlo.constant dense<[[1.5, 2.0, 3.0, 4.0, 5.0, 6.0], [2.5, 2.0, 3.0, 4.0, 5.0, 6.0], [3.5, 2.0, 3.0, 4.0, 5.0, 6.0], [4.5, 2.0, 3.0, 4.0, 5.0, 6.0]]> : tensor<4x6xf32>
  %c = stablehlo.constant dense<[[0.5, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5, 2.0, 3.0, 4.0, 5.0, 6.0]]> : tensor<4x6xf32>
  %q = stablehlo.dot_general %x, %a, contracting_dims = [2] x [0] : (tensor<2x5x4xf32>, tensor<4x6xf32>) -> tensor<2x5x6xf32>
  %k = stablehlo.dot_general %x, %b, contracting_dims = [2] x [0] : (tensor<2x5x4xf32>, tensor<4x6xf32>) -> tensor<2x5x6xf32>
  %v = stablehlo.dot_general %x, %c, contracting_dims = [2] x [0] : (tensor<2x5x4xf32>, tensor<4x6xf32>) -> tensor<2x5x6xf32>
  %q4 = stablehlo.reshape %q : (tensor<2x5x6xf32>) -> tensor<2x5x2x3xf32>
  %k4 = stablehlo.reshape %k : (tensor<2x5x6xf32>) -> tensor<2x5x2x3xf32>
  %v4 = stablehlo.reshape %v : (tensor<2x5x6xf32>) -> tensor<2x5x2x3xf32>
  %s = stablehlo.dot_general %q4, %k4, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<2x5x2x3xf32>, tensor<2x5x2x3xf32>) -> tensor<2x2x5x5xf32>
  %r = stablehlo.dot_general %s, %v4, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<2x2x5x5xf32>, tensor<2x5x2x3xf32>) -> tensor<2x2x5x3xf32>
  return %r : tensor<2x2x5x3xf32>
}
// expect:
func.func public @main(%x: tensor<2x5x4xf32>) -> (tensor<2x2x5x3xf32>) {
  %0 = stablehlo.constant dense<"0x0000803F0000004000004040000080400000A0400000C0400000C03F0000004000004040000080400000A0400000C0400000003F0000004000004040000080400000A0400000C040000000400000004000004040000080400000A0400000C040000020400000004000004040000080400000A0400000C0400000003F0000004000004040000080400000A0400000C040000040400000004000004040000080400000A0400000C040000060400000004000004040000080400000A0400000C0400000003F0000004000004040000080400000A0400000C040000080400000004000004040000080400000A0400000C040000090400000004000004040000080400000A0400000C0400000003F0000004000004040000080400000A0400000C040"> : tensor<4x18xf32>
  %1 = "tfc.fusion"(%x, %0) ({
  ^bb0(%arg1: tensor<2x5x4xf32>, %arg2: tensor<4x18xf32>):
    %2 = stablehlo.dot_general %arg1, %arg2, contracting_dims = [2] x [0] : (tensor<2x5x4xf32>, tensor<4x18xf32>) -> tensor<2x5x18xf32>
    stablehlo.return %2 : tensor<2x5x18xf32>
  }) {anchor = "contraction"} : (tensor<2x5x4xf32>, tensor<4x18xf32>) -> tensor<2x5x18xf32>
  %3 = stablehlo.reshape %1 : (tensor<2x5x18xf32>) -> tensor<2x5x6x3xf32>
  %4 = "tfc.fusion"(%3) ({
  ^bb0(%arg3: tensor<2x5x6x3xf32>):
    %5 = stablehlo.slice %arg3 [0:2, 0:5, 0:2, 0:3] : (tensor<2x5x6x3xf32>) -> tensor<2x5x2x3xf32>
    %6 = stablehlo.slice %arg3 [0:2, 0:5, 2:4, 0:3] : (tensor<2x5x6x3xf32>) -> tensor<2x5x2x3xf32>
    %7 = stablehlo.dot_general %5, %6, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<2x5x2x3xf32>, tensor<2x5x2x3xf32>) -> tensor<2x2x5x5xf32>
    stablehlo.return %7 : tensor<2x2x5x5xf32>
  }) {anchor = "contraction"} : (tensor<2x5x6x3xf32>) -> tensor<2x2x5x5xf32>
  %8 = "tfc.fusion"(%3, %4) ({
  ^bb0(%arg4: tensor<2x5x6x3xf32>, %arg5: tensor<2x2x5x5xf32>):
    %9 = stablehlo.slice %arg4 [0:2, 0:5, 4:6, 0:3] : (tensor<2x5x6x3xf32>) -> tensor<2x5x2x3xf32>
    %10 = stablehlo.dot_general %arg5, %9, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<2x2x5x5xf32>, tensor<2x5x2x3xf32>) -> tensor<2x2x5x3xf32>
    stablehlo.return %10 : tensor<2x2x5x3xf32>
  }) {anchor = "contraction"} : (tensor<2x5x6x3xf32>, tensor<2x2x5x5xf32>) -> tensor<2x2x5x3xf32>
  return %8 : tensor<2x2x5x3xf32>
}
