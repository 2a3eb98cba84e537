import java.awt.Robot;
import java.awt.event.InputEvent;
import java.awt.event.KeyEvent;
import java.io.BufferedReader;
import java.io.InputStreamReader;

/**
 * Uses the mouse and the keyboard for the tests: each line "x y" of its input is a click there, each line "x y 2" a
 * double click, and each line "right 3" presses the key with the arrow to the right three times.
 */
public class ScreenRobot {
    public static void main(String[] arguments) throws Exception {
        Robot robot = new Robot();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("right")) {
                for (int times = Integer.parseInt(words[1]); times > 0; times--) {
                    robot.keyPress(KeyEvent.VK_RIGHT);
                    robot.keyRelease(KeyEvent.VK_RIGHT);
                }
                continue;
            }
            robot.mouseMove(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
            for (int times = words.length > 2 ? Integer.parseInt(words[2]) : 1; times > 0; times--) {
                robot.mousePress(InputEvent.BUTTON1_DOWN_MASK);
                robot.mouseRelease(InputEvent.BUTTON1_DOWN_MASK);
            }
            System.out.println("clicked");
        }
    }
}
