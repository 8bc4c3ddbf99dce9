// pass: canonicalize, fusion
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %b: tensor<5xf32>) -> tensor<2x5xf32> {
  %y = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  %c = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<5xf32>) -> tensor<2x5xf32>
  %s = stablehlo.add %y, %c : tensor<2x5xf32>
  %z = stablehlo.constant dense<0.0> : tensor<2x5xf32>
  %r = stablehlo.maximum %s, %z : tensor<2x5xf32>
  return %r : tensor<2x5xf32>
}
// count: fusion 1
// expect:
func.func public @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %b: tensor<5xf32>) -> (tensor<2x5xf32>) {
  %0 = "tfc.fusion"(%x, %w, %b) ({
  ^bb0(%arg3: tensor<2x3xf32>, %arg4: tensor<3x5xf32>, %arg5: tensor<5xf32>):
    %1 = stablehlo.dot_general %arg3, %arg4, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
    %2 = stablehlo.broadcast_in_dim %arg5, dims = [1] : (tensor<5xf32>) -> tensor<2x5xf32>
    %3 = stablehlo.add %1, %2 : tensor<2x5xf32>
    %4 = stablehlo.constant dense<0.0> : tensor<2x5xf32>
    %5 = stablehlo.maximum %3, %4 : tensor<2x5xf32>
    stablehlo.return %5 : tensor<2x5xf32>
  }) {anchor = "contraction"} : (tensor<2x3xf32>, tensor<3x5xf32>, tensor<5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}
